package rootfs

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// stories returns what users met with whose root was the initramfs.
func stories() []spec.Spec {
	return []spec.Spec{
		{ID: "rootfs/both-are-slash", Body: func(w *sandbox.World) {
			initramfs(w)
			controlled(w, w.PivotRoot("/", "/"))
		}},
		// As a sandbox tool does it: into the directory, with a relative put_old, and the old
		// root away.
		{ID: "rootfs/pivot-with-relative-put-old", Body: func(w *sandbox.World) {
			base := initramfs(w)
			w.Mark("put_old", base+"/old")
			w.Chdir(base)
			if c := w.PivotRoot(base, "old"); controlled(w, c) {
				w.Fact("umount", w.Umount("old", unix.MNT_DETACH).Outcome)
				w.Fact("at-put-old-after-umount", w.Label("/old"))
			}
		}},
		// As a rootless container does it.
		{ID: "rootfs/pivot-in-user-namespace", Body: func(w *sandbox.World) {
			requireInitramfs(w)
			base := w.Base()
			w.RequireUserNamespaces()
			p := w.Fork("user root", unix.CLONE_NEWUSER|unix.CLONE_NEWNS, func(s *sandbox.Script) {
				s.Pause() // until its IDs are mapped
				s.Tmpfs(base)
				s.Mkdir(base + "/old")
				s.Mkdir(base + "/self")
				s.Pause()
				s.PivotRoot(base, base+"/old")
				s.Pause()
				s.Rbind("/", base+"/self")
				s.Chroot(base + "/self")
				s.Chdir("/")
				s.Pause()
				s.PivotRoot(base, base+"/old")
			})
			p.MapRoot()
			p.Resume()
			c := p.Call(base)
			w.Observe(c)
			if c.Outcome != record.OK {
				p.Resume()
				w.Control(p.Call(base))
			}
		}},
	}
}
