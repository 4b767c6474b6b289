package sandbox

import (
	_ "embed"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Profiles of AppArmor that [World.LoadAppArmor] loads. Both allow whatever a spec does, the first
// all but pivot_root.
const (
	ProfileWithoutPivotRoot = "pivotspec-no-pivot-root"
	ProfileWithPivotRoot    = "pivotspec-pivot-root"
)

// appArmorPolicy is apparmor.profile in the form that the kernel takes, which is the same on all
// architectures. apparmor_parser(8) 3.0.8 compiled it with the features of its ABI 3.0, the first
// with a class for mounts, which all later kernels understand:
//
//	apparmor_parser --skip-kernel-load --skip-cache --kernel-features abi/3.0 --policy-features abi/3.0 \
//		--ofile apparmor.policy apparmor.profile
//
//go:embed apparmor.policy
var appArmorPolicy string

// LoadAppArmor loads the profiles into the kernel, where they stay. For that it mounts securityfs on
// the directory at path for a moment. Without AppArmor the behaviour is unsupported.
func (w *World) LoadAppArmor(path string) {
	w.ChangesMachine("AppArmor's profiles")
	err := unix.Mount("securityfs", path, "securityfs", 0, "")
	if errors.Is(err, unix.ENODEV) {
		w.Unsupported("AppArmor: mount -t securityfs: %s", ErrnoName(err))
	}
	w.quiet("mount -t securityfs securityfs "+path, err)
	fd, err := unix.Open(path+"/apparmor/.replace", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		w.Unsupported("AppArmor: open apparmor/.replace on securityfs: %s", ErrnoName(err))
	}
	w.quiet("open apparmor/.replace on securityfs", err)
	_, err = unix.Write(fd, []byte(appArmorPolicy))
	unix.Close(fd)
	w.must("apparmor_parser --replace apparmor.profile", err)
	w.quiet("umount "+path, unix.Unmount(path, 0))
}

// Confine puts the thread under a profile of AppArmor.
func (b *Bystander) Confine(profile string) {
	b.Step("aa_change_profile "+profile, func() error {
		fd, err := unix.Openat(b.world.proc, "thread-self/attr/apparmor/current", unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		_, err = unix.Write(fd, []byte("changeprofile "+profile))
		return err
	})
}

// PivotRoot has the thread, whose root is that of the spec's own, make the call, and looks what it
// did to the thread.
func (b *Bystander) PivotRoot(newRoot, putOld string) Call {
	w := b.world
	args := []Arg{Path(newRoot), Path(putOld)}
	target, err := w.Place(newRoot)
	seen := w.witness(b.TID)
	watch := w.watch(b.TID, target, err == nil)
	errno := w.kernel.Call(Syscall{Name: "pivot_root", By: b.name, Task: b.TID, Args: args}, func() unix.Errno {
		var e unix.Errno
		_ = b.run(func() error {
			e = pivotRoot(args[0], args[1])
			return nil
		})
		return e
	})
	c := Call{Outcome: ErrnoName(errno), Effect: watch()}
	w.note(fmt.Sprintf("%s: pivot_root(%v, %v) = %s", b.name, args[0], args[1], c.Outcome))
	seen()
	return c
}
