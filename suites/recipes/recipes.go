// Package recipes observes pivots as programs make them: each spec replays the calls of one tool in
// the surroundings in which its users met with an error, as reported to that project, or in
// those in which it works.
package recipes

import (
	"slices"

	"pivotspec/suites/record"
	"pivotspec/suites/rootfs"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	return slices.Concat([]spec.Spec{
		ordinary("recipes/bubblewrap", bubblewrap),
		ordinary("recipes/firecracker-jailer", firecracker),
		ordinary("recipes/nix-sandbox", nix),
		ordinary("recipes/lxc", lxc),
		ordinary("recipes/enroot", enroot),

		onInitramfs("recipes/enroot-on-initramfs", enroot),           // enroot 200
		onInitramfs("recipes/bubblewrap-on-initramfs", bubblewrap),   // bubblewrap 592
		onInitramfs("recipes/firecracker-on-initramfs", firecracker), // firecracker 850
		onInitramfs("recipes/kata-agent-on-initramfs", runc),         // kata runtime 134
		onInitramfs("recipes/nix-sandbox-on-initramfs", nix),         // nix 5934

		inChrootOnMount("recipes/bubblewrap-in-chroot", bubblewrap), // bubblewrap 135
		inChrootOnMount("recipes/nix-sandbox-in-chroot", nix),       // nix 5076
		inChroot("recipes/lxc-in-chroot", lxc),                      // lxc 4389
	}, shared(), around())
}

// tool prepares the new root of a program that pivots to the directory dir, which exists, is empty
// and lies on the root mount or on a mount below it, and marks it as "new_root".
type tool func(w *sandbox.World, dir string) session

// session is what a tool does with the root that it has prepared.
type session struct {
	// pivot goes to the new root and makes the call there. After a failure it may be called
	// again, in surroundings that were mended.
	pivot func() sandbox.Call
	// finish goes on as the tool does after a pivot that succeeded.
	finish func()
}

// dir is where a tool finds its directory in a jail.
const dir = "/ctr"

// ordinary runs a tool where it works: the root is an ordinary mount, and all is private.
func ordinary(id string, prepare tool) spec.Spec {
	return spec.Spec{ID: id, Body: func(w *sandbox.World) {
		w.JailWithout()
		w.Mkdir(dir)
		s := prepare(w, dir)
		w.ObserveSuccess(s.pivot())
		s.finish()
	}}
}

// onInitramfs runs a tool with the initramfs as root, on a machine that boots into that and
// stays there. The control has a bind of the initramfs as root.
func onInitramfs(id string, prepare tool) spec.Spec {
	return spec.Spec{ID: id, Body: func(w *sandbox.World) {
		base := rootfs.Require(w)
		w.Tmpfs(base)
		w.Mkdir(base + dir)
		s := prepare(w, base+dir)
		c := s.pivot()
		w.Observe(c)
		if c.Outcome == record.OK {
			s.finish()
			return
		}
		w.Chdir("/")
		rootfs.Bind(w, base)
		w.Control(s.pivot())
	}}
}

// inChroot runs a tool in a chroot to an ordinary directory, with a distribution unpacked in it.
// The control is in the same chroot with the directory bound onto itself.
func inChroot(id string, prepare tool) spec.Spec {
	return spec.Spec{ID: id, Body: func(w *sandbox.World) {
		mend := w.JailDirectory()
		w.Mkdir(dir)
		s := prepare(w, dir)
		w.Observe(s.pivot())
		mend()
		w.Control(s.pivot())
	}}
}

// inChrootOnMount runs a tool in a chroot to a mount point, as a rescue system or an image builder
// enters another system. What the tool makes slave or private begins with that mount; the one
// that it is mounted on stays shared, as systemd made it, and the tool cannot see it.
func inChrootOnMount(id string, prepare tool) spec.Spec {
	return spec.Spec{ID: id, Body: func(w *sandbox.World) {
		w.Tmpfs(w.Base())
		w.Mkdir(w.Base() + "/deploy")
		w.Tmpfs(w.Base() + "/deploy")
		w.Propagation(w.Base(), sandbox.Shared)
		parent := w.Open(w.Base())
		w.Chroot(w.Base() + "/deploy")
		w.Mark("old_root", "/")
		w.Mkdir(dir)
		s := prepare(w, dir)
		w.ObserveRefusal(s.pivot())
		w.Fchdir(parent, "the mount that the chroot is mounted on")
		w.Propagation(".", sandbox.Private)
		w.Control(s.pivot())
	}}
}
