package sandbox

// Expand returns what a step of a record stands for, in the words that a person can repeat
// in a mount namespace of their own; the step itself for all but the short names of jails.
func Expand(step, base string) []string {
	enter := []string{"mount -t tmpfs tmpfs " + base, "chroot " + base, "cd /"}
	switch step {
	case StepEmptyJail:
		return enter
	case StepJail:
		return append(enter, "mkdir /new", "mount -t tmpfs tmpfs /new", "mkdir /new/old")
	case StepTopJail:
		return []string{
			"mount -t tmpfs tmpfs " + base, "cd " + base, "mount --move . /", "chroot .", "cd /",
			"mkdir /new", "mount -t tmpfs tmpfs /new", "mkdir /new/old",
		}
	}
	return []string{step}
}
