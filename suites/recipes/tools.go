package recipes

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
)

// bubblewrap pivots twice: to a tmpfs on which it builds the sandbox from what it finds in
// oldroot, then to newroot on that.
func bubblewrap(w *sandbox.World, dir string) session {
	w.PropagationBelow("/", sandbox.Slave)
	w.Tmpfs(dir)
	w.MountFlags(dir, unix.MS_NODEV|unix.MS_NOSUID, "nodev,nosuid")
	w.Mark("new_root", dir)
	w.Chdir(dir)
	w.Mkdir("newroot")
	w.Rbind("newroot", "newroot")
	w.Mark("newroot", "newroot")
	w.Mkdir("oldroot")
	return session{
		pivot: func() sandbox.Call {
			w.Chdir(dir)
			return w.PivotRoot(dir, "oldroot")
		},
		finish: func() {
			w.FollowTo("/")
			w.Follow("mount --make-rprivate oldroot", func() error {
				return unix.Mount("oldroot", "oldroot", "", unix.MS_PRIVATE|unix.MS_REC, "")
			})
			w.Fact("umount", w.Umount("oldroot", unix.MNT_DETACH).Outcome)
			base := w.Open("/")
			w.FollowTo("/newroot")
			w.Fact("back", w.PivotRoot(".", ".").Result())
			w.FollowToOpen(base, "the first new root")
			w.Fact("lazy-umount", w.Umount(".", unix.MNT_DETACH).Outcome)
			w.Fact("at-slash", w.Label("/"))
			w.Fact("on-top-of-slash-after-umount", w.Label("/.."))
			w.Fact("root", w.Where(w.Self(), sandbox.Root))
		},
	}
}

// firecracker is the jailer of Firecracker: put_old is a directory that nobody may search.
func firecracker(w *sandbox.World, dir string) session {
	w.PropagationBelow("/", sandbox.Slave)
	w.Rbind(dir, dir)
	w.Mark("new_root", dir)
	w.Mkdir(dir + "/old_root")
	w.Chmod(dir+"/old_root", 0o600)
	return session{
		pivot: func() sandbox.Call {
			w.Chdir(dir)
			return w.PivotRoot(".", "old_root")
		},
		finish: func() {
			w.FollowTo("/")
			withoutOldRoot(w, "old_root")
		},
	}
}

// nix is the sandbox of a Nix build.
func nix(w *sandbox.World, dir string) session {
	w.PropagationBelow("/", sandbox.Private)
	w.Bind(dir, dir)
	w.Mark("new_root", dir)
	w.Mkdir(dir + "/real-root")
	w.Chmod(dir+"/real-root", 0)
	return session{
		pivot: func() sandbox.Call {
			w.Chdir(dir)
			return w.PivotRoot(".", "real-root")
		},
		finish: func() {
			w.Follow("chroot .", func() error { return unix.Chroot(".") })
			withoutOldRoot(w, "real-root")
		},
	}
}

// withoutOldRoot unmounts the old root and removes put_old, a name in the new root.
func withoutOldRoot(w *sandbox.World, putOld string) {
	w.Fact("umount", w.Umount(putOld, unix.MNT_DETACH).Outcome)
	w.Fact("rmdir", w.TryRmdir(putOld).Outcome)
	w.Fact("at-put-old-after-rmdir", w.Label("/"+putOld))
	w.Fact("at-slash", w.Label("/"))
}

// dotDot is a tool that makes pivot_root(".", ".") and unmounts the old root from there, by a
// descriptor. before is a step between the two.
func dotDot(w *sandbox.World, dir string, before func()) session {
	old := -1
	return session{
		pivot: func() sandbox.Call {
			old = w.Open("/")
			w.Chdir(dir)
			return w.PivotRoot(".", ".")
		},
		finish: func() {
			w.FollowToOpen(old, "the old root")
			before()
			w.Fact("umount", w.Umount(".", unix.MNT_DETACH).Outcome)
			w.FollowTo("/")
			w.Fact("at-slash", w.Label("/"))
			w.Fact("on-top-of-slash-after-umount", w.Label("/.."))
		},
	}
}

// enroot is enroot-switchroot.
func enroot(w *sandbox.World, dir string) session {
	w.PropagationBelow("/", sandbox.Private)
	w.Rbind(dir, dir)
	w.Mark("new_root", dir)
	return dotDot(w, dir, func() {})
}

// lxc binds the container's root to a directory of its own and pivots to that. It makes each mount
// slave that it finds listed, which need not include one at "/".
func lxc(w *sandbox.World, dir string) session {
	w.Mkdir(dir + "/rootfs")
	w.Mkdir(dir + "/mnt")
	w.Rbind(dir+"/rootfs", dir+"/mnt")
	w.Mark("new_root", dir+"/mnt")
	return dotDot(w, dir+"/mnt", func() { w.FollowSlave(".") })
}

// runc is runc's libcontainer, which the agent of Kata Containers uses too.
func runc(w *sandbox.World, dir string) session {
	w.PropagationBelow("/", sandbox.Slave)
	w.Rbind(dir, dir)
	w.Mark("new_root", dir)
	return dotDot(w, dir, func() { w.FollowSlave(".") })
}
