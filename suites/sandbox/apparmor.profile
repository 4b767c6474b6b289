# What apparmor.policy is compiled from. Both allow whatever a spec does, the first all but pivot_root.
profile pivotspec-no-pivot-root flags=(attach_disconnected) {
  file,
  capability,
  mount,
  change_profile,
}
profile pivotspec-pivot-root flags=(attach_disconnected) {
  file,
  capability,
  mount,
  pivot_root,
  change_profile,
}
