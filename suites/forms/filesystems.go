package forms

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// on observes a pivot to a new_root that is a mount of some kind at /new. prepare has to put it
// there, with the directory putOld in it.
func on(id string, prepare func(*sandbox.World), putOld string) spec.Spec {
	return spec.Spec{ID: id, Body: func(w *sandbox.World) {
		w.JailWithout()
		w.Mkdir("/new")
		prepare(w)
		w.Mark("new_root", "/new")
		w.ObserveSuccess(w.PivotRoot("/new", "/new"+putOld))
		w.Fact("at-slash", w.Label("/"))
		w.Fact("at-put-old", w.Label(putOld))
	}}
}

// tmpfs is a new_root that change makes something special of.
func tmpfs(id string, change func(*sandbox.World)) spec.Spec {
	return on(id, func(w *sandbox.World) {
		w.Tmpfs("/new")
		w.Mkdir("/new/old")
		change(w)
	}, "/old")
}

// devtmpfsDir is a directory made on the one devtmpfs that a machine has.
const devtmpfsDir = "/pivotspec-old"

// filesystems are kinds of filesystems and of mounts as new_root.
func filesystems() []spec.Spec {
	return []spec.Spec{
		tmpfs("forms/new-root-read-only-mount", func(w *sandbox.World) { w.MountFlags("/new", unix.MS_RDONLY, "ro") }),
		tmpfs("forms/new-root-read-only-filesystem", func(w *sandbox.World) { w.ReadOnlyFilesystem("/new") }),
		tmpfs("forms/new-root-noexec-nosuid-nodev", func(w *sandbox.World) {
			w.MountFlags("/new", unix.MS_NOEXEC|unix.MS_NOSUID|unix.MS_NODEV, "noexec,nosuid,nodev")
		}),
		{ID: "forms/old-root-read-only", Body: func(w *sandbox.World) {
			w.Jail()
			w.ReadOnlyFilesystem("/")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("at-put-old", w.Label("/old"))
		}},
		on("forms/new-root-ramfs", func(w *sandbox.World) {
			w.Filesystem("ramfs", "/new")
			w.Mkdir("/new/old")
		}, "/old"),
		on("forms/new-root-proc", func(w *sandbox.World) { w.Filesystem("proc", "/new") }, "/fs"),
		on("forms/new-root-proc-put-old-on-a-mount-in-it", func(w *sandbox.World) {
			w.Filesystem("proc", "/new")
			w.Tmpfs("/new/fs")
			w.Mkdir("/new/fs/old")
		}, "/fs/old"),
		on("forms/new-root-sysfs", func(w *sandbox.World) { w.Filesystem("sysfs", "/new") }, "/fs"),
		on("forms/new-root-devtmpfs", func(w *sandbox.World) {
			w.ChangesMachine("a directory on devtmpfs")
			w.Filesystem("devtmpfs", "/new")
			w.Mkdir("/new" + devtmpfsDir)
			dev := w.Open("/new")
			// It outlives the world, and so would the directory. Where the pivot stands, the
			// old root is mounted on it.
			w.Defer(func() {
				_ = unix.Unmount(devtmpfsDir, unix.MNT_DETACH)
				_ = unix.Unlinkat(dev, devtmpfsDir[1:], unix.AT_REMOVEDIR)
			})
		}, devtmpfsDir),
		// A process's own directory is a place to mount on as long as the process lives.
		on("forms/put-old-in-a-process-directory-of-proc", func(w *sandbox.World) { w.Filesystem("proc", "/new") }, "/thread-self/attr"),
	}
}
