// Package rootfs observes the initramfs itself as the root: in a private namespace, and as
// PID 1 in the initial one. From 7.0 it is mounted on an immutable nullfs and can be pivoted.
package rootfs

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	return slices.Concat(stories(), variants(), []spec.Spec{
		{ID: "rootfs/pivot", Body: func(w *sandbox.World) {
			base := initramfs(w)
			controlled(w, w.PivotRoot(base, base+"/old"))
		}},
		{ID: "rootfs/dot-dot", Body: func(w *sandbox.World) {
			base := initramfs(w)
			w.Chdir(base)
			if c := w.PivotRoot(".", "."); controlled(w, c) {
				w.Fact("dotdot", w.Label(".."))
				w.Fact("umount", w.Umount(".", unix.MNT_DETACH).Outcome)
				w.Fact("dotdot-after-umount", w.Label(".."))
			}
		}},
		{ID: "rootfs/new-root-is-slash", Body: func(w *sandbox.World) {
			base := initramfs(w)
			controlled(w, w.PivotRoot("/", base+"/old"))
		}},
		{ID: "rootfs/slash-shared", Body: func(w *sandbox.World) {
			base := initramfs(w)
			w.Propagation("/", sandbox.Shared)
			w.Observe(w.PivotRoot(base, base+"/old"))
			w.Propagation("/", sandbox.Private)
			c := w.PivotRoot(base, base+"/old")
			// On older kernels that was one of two faults. What came of mending the one is a
			// fact of its own, or a failure there would hide behind the mending of both.
			w.Fact("private", c.Result())
			if c.Outcome != record.OK && c.Effect == sandbox.None {
				c = onBoundRoot(w, base)
			}
			w.Control(c)
		}},
		{ID: "rootfs/umount-slash", Body: func(w *sandbox.World) {
			base := initramfs(w)
			root := w.MountAt(w.Self(), "/")
			c := w.Umount("/", unix.MNT_DETACH)
			w.Observe(c)
			still := listed(w, root)
			w.Fact("in-mount-table", still)
			// Without the initramfs, whatever the errno says, nothing can be built any more.
			if c.Outcome != record.OK && still == inTable {
				w.Control(umountBoundRoot(w, base))
			}
		}},
		{ID: "rootfs/move-onto-slash-and-chroot", Body: func(w *sandbox.World) {
			base := initramfs(w)
			recipe(w, base)
		}},

		{ID: "rootfs/pid1-move-onto-slash-and-chroot", Stage: spec.Initial, Body: func(w *sandbox.World) {
			home := w.Open("/")
			base := initramfs(w)
			recipe(w, base)
			w.Detach(".")
			comeHome(w, home)
		}},
		{ID: "rootfs/pid1-pivot", Stage: spec.Initial, Body: func(w *sandbox.World) {
			home := w.Open("/")
			base := initramfs(w)
			w.Defer(func() { putBack(home, base) })
			c := w.PivotRoot(base, base+"/old")
			w.Observe(c)
			w.Fact("root", w.Where(w.Self(), sandbox.Root))
			if c.Outcome != record.OK {
				w.Control(onBoundRoot(w, base))
				return
			}
			w.Chdir("/")
			w.Fact("back", w.PivotRoot("/old", "/old"+base).Result())
			w.Fact("root-after-back", w.Where(w.Self(), sandbox.Root))
		}},
		// Go's threads share one fs, and so do PID 1 and, up to 7.2, the kernel's threads.
		{ID: "migrate/threads-sharing-callers-fs", Stage: spec.Initial, Body: func(w *sandbox.World) {
			inJail(w, func() {
				w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
				roots, cwds := map[string]bool{}, map[string]bool{}
				threads := tasks(w)
				if len(threads) < 2 {
					w.Broken("set-up: PID 1 has only %d thread", len(threads))
				}
				for _, t := range threads {
					roots[w.Where(t, sandbox.Root)] = true
					cwds[w.Where(t, sandbox.Cwd)] = true
				}
				w.Fact("roots", keys(roots))
				w.Fact("cwds", keys(cwds))
			})
		}},
		kernelThreadsSpec(),
		// The last: on success the initramfs is gone for good.
		{ID: "rootfs/pid1-dot-dot", Stage: spec.Initial, Body: func(w *sandbox.World) {
			base := initramfs(w)
			w.Chdir(base)
			if c := w.PivotRoot(".", "."); controlled(w, c) {
				w.Fact("umount", w.Umount(".", unix.MNT_DETACH).Outcome)
				w.Fact("dotdot-after-umount", w.Label(".."))
			}
		}},
	})
}

// initramfs makes sure that the root is the initramfs, and mounts a new root on the world's
// base, with the directory old in it. It returns the base.
func initramfs(w *sandbox.World) (base string) {
	base = Require(w)
	w.Mark("bare mount point", base)
	w.Tmpfs(base)
	w.Mkdir(base + "/old")
	w.Mark("new_root", base)
	return base
}

// controlled observes c and says whether it succeeded. If it failed, the control is the
// pivot to the same new root from a bind of the initramfs, which differs from the initramfs
// in being mounted on something.
func controlled(w *sandbox.World, c sandbox.Call) (succeeded bool) {
	w.Observe(c)
	if c.Outcome == record.OK {
		return true
	}
	w.Control(onBoundRoot(w, w.Base()))
	return false
}

func onBoundRoot(w *sandbox.World, base string) sandbox.Call {
	Bind(w, base)
	return w.PivotRoot(base, base+"/old")
}

// umountBoundRoot is the control of an umount of the initramfs.
func umountBoundRoot(w *sandbox.World, base string) sandbox.Call {
	Bind(w, base)
	return w.Umount("/", unix.MNT_DETACH)
}

// listed says whether the mount table that the spec's thread sees still has a mount.
func listed(w *sandbox.World, m sandbox.Mountinfo) string {
	if slices.ContainsFunc(w.Mountinfo(w.Self()), func(o sandbox.Mountinfo) bool { return o.ID == m.ID }) {
		return inTable
	}
	return "gone"
}

// inTable is what [listed] says of a mount that is still there.
const inTable = "still there"

// putBack makes the initramfs the root of the initial namespace again, however far PID 1 came
// and whatever the kernel under test said of it: the specs that follow need it.
func putBack(home int, base string) {
	_ = unix.Chdir("/")
	// Fails unless a pivot stands.
	_ = unix.PivotRoot("/old", "/old"+base)
	_ = unix.Fchdir(home)
	_ = unix.Chroot(".")
	_ = unix.Unmount(base, unix.MNT_DETACH)
}

// recipe is what the page recommends in place of a pivot from the initramfs, but for the
// deleting: it moves the new root's mount onto "/" and enters it.
func recipe(w *sandbox.World, base string) {
	home := w.Open("/")
	w.Chdir(base)
	w.Observe(w.MoveOnto(".", "/"))
	w.Fact("chroot", w.TryChroot(".").Outcome)
	w.Fact("root", w.Where(w.Self(), sandbox.Root))
	w.Fact("cwd", w.Where(w.Self(), sandbox.Cwd))
	w.Fact("at-old-place", w.LabelAt(home, strings.TrimPrefix(base, "/")))
}

// inJail has PID 1 chroot into a jail in the initial namespace, runs step, and comes back,
// also when step ends the spec: those that follow need the root as it was.
func inJail(w *sandbox.World, step func()) {
	home := w.Open("/")
	base := w.Base()
	back := false
	w.Defer(func() {
		if !back {
			_ = unix.Fchdir(home)
			_ = unix.Chroot(".")
			_ = unix.Unmount(base, unix.MNT_DETACH)
		}
	})
	w.Jail()
	step()
	comeHome(w, home)
	w.Detach(base)
	back = true
}

func comeHome(w *sandbox.World, home int) {
	w.Fchdir(home, "the initramfs")
	w.Chroot(".")
}

// tasks returns the IDs of the threads of the spec's process.
func tasks(w *sandbox.World) []int {
	var ids []int
	for _, name := range w.ListProc(fmt.Sprintf("%d/task", os.Getpid())) {
		if id, err := strconv.Atoi(name); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

func keys(set map[string]bool) string {
	names := slices.Sorted(maps.Keys(set))
	if len(names) == 1 {
		return names[0]
	}
	return "mixed: " + strings.Join(names, ", ")
}
