package recipes

import (
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/rootfs"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// around are ways around a root that cannot be pivoted from, and what comes of them.
func around() []spec.Spec {
	return []spec.Spec{
		// kata runtime 134: what its agent does instead of a pivot when told so.
		{ID: "recipes/kata-agent-move-onto-slash-and-chroot", Body: func(w *sandbox.World) {
			base := rootfs.Require(w)
			home := w.Open("/")
			w.Tmpfs(base)
			w.Mkdir(base + dir)
			w.Mark("bare directory", base+dir)
			w.PropagationBelow("/", sandbox.Slave)
			w.Rbind(base+dir, base+dir)
			w.Mark("new_root", base+dir)
			w.Chdir(base + dir)
			w.Observe(w.MoveOnto(".", "/"))
			w.Fact("chroot", w.TryChroot(".").Outcome)
			w.Fact("root", w.Where(w.Self(), sandbox.Root))
			w.Fact("cwd", w.Where(w.Self(), sandbox.Cwd))
			w.Fact("at-old-place", w.LabelAt(home, strings.TrimPrefix(base+dir, "/")))
		}},
		// bubblewrap 592, crun 1507, mkosi 2895: a bind of the initramfs, moved over it, can be
		// pivoted from.
		{ID: "recipes/initramfs-bound-and-moved-onto-slash", Body: func(w *sandbox.World) {
			base := rootfs.Require(w)
			w.Tmpfs(base)
			w.Mkdir(base + dir)
			w.Mkdir(base + "/self")
			w.Rbind("/", base+"/self")
			w.Chdir(base + "/self")
			w.Move(".", "/")
			w.Chroot(".")
			w.Mark("bind of the initramfs", "/")
			w.Bind(base+dir, base+dir)
			w.Mark("new_root", base+dir)
			w.ObserveSuccess(pivotAt(w, base+dir))
			w.Fact("on-top-of-slash", w.Label("/.."))
			w.Fact("umount", w.Umount("/", unix.MNT_DETACH).Outcome)
			w.Fact("on-top-of-slash-after-umount", w.Label("/.."))
		}},
		// rsinit 46: a root entered by chroot alone is not the namespace's, and the kernel
		// then refuses user namespaces. The control is entered as the page advises.
		{ID: "recipes/rsinit-user-namespace-after-chroot", Body: func(w *sandbox.World) {
			base := rootfs.Require(w)
			w.Tmpfs(base)
			w.Chdir(base)
			home := w.Open("/")
			w.Chroot(".")
			w.Observe(w.TryUserNamespace())
			w.Fchdir(home, "the initramfs")
			w.Chroot(".")
			w.Chdir(base)
			w.Move(".", "/")
			w.Chroot(".")
			w.Control(w.TryUserNamespace())
		}},
		// The other way of rsinit 46, for kernels that can.
		{ID: "recipes/rsinit-user-namespace-after-pivot", Body: func(w *sandbox.World) {
			base := rootfs.Require(w)
			w.Tmpfs(base)
			w.Mark("new_root", base)
			c := pivotAt(w, base)
			w.Observe(c)
			if c.Outcome != record.OK {
				w.Chdir("/")
				rootfs.Bind(w, base)
				w.Control(pivotAt(w, base))
				return
			}
			w.Fact("umount", w.Umount(".", unix.MNT_DETACH).Outcome)
			w.Fact("on-top-of-slash-after-umount", w.Label("/.."))
			w.Fact("new-user-namespace", w.TryUserNamespace().Outcome)
		}},
		// What users are told in nix 7790 and elsewhere: to bind / onto itself. It helps those who
		// enter the bind, and not the shell that made it.
		{ID: "recipes/slash-bound-onto-itself-in-chroot", Body: func(w *sandbox.World) {
			w.JailDirectory()
			w.Mkdir(dir)
			w.Rbind("/", "/")
			s := lxc(w, dir)
			w.Observe(s.pivot())
			w.EnterCover()
			w.Rbind(dir+"/rootfs", dir+"/mnt")
			w.Control(s.pivot())
		}},
	}
}
