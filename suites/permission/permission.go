// Package permission observes who may pivot: CAP_SYS_ADMIN in the user namespace that owns
// the caller's mount namespace.
package permission

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// sysAdmin is the capability that the page names.
var sysAdmin = []int{unix.CAP_SYS_ADMIN}

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	return append(append(landlocked(), appArmor()), []spec.Spec{
		{ID: "eperm/no-cap-sys-admin", Body: func(w *sandbox.World) {
			w.Jail()
			w.Without("CAP_SYS_ADMIN", sysAdmin, func() { w.Observe(w.PivotRoot("/new", "/new/old")) })
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "success/cap-sys-admin-alone", Body: func(w *sandbox.World) {
			w.Jail()
			var others []int
			for c := range unix.CAP_LAST_CAP + 1 {
				// Kernels before 5.9 end at CAP_AUDIT_READ; ours all have these forty-one.
				if c != unix.CAP_SYS_ADMIN {
					others = append(others, c)
				}
			}
			w.Without("every capability but CAP_SYS_ADMIN", others, func() {
				w.Observe(w.PivotRoot("/new", "/new/old"))
			})
		}},
		// A child user namespace's root has every capability there, and none in the
		// user namespace that owns the mount namespace in which it still is.
		{ID: "eperm/root-of-child-user-namespace", Body: func(w *sandbox.World) {
			userRoot(w, unix.CLONE_NEWUSER, func(c sandbox.Call) { w.Observe(c) })
			ordinary(w, func(c sandbox.Call) { w.Control(c) })
		}},
		{ID: "success/root-of-owning-user-namespace", Body: func(w *sandbox.World) {
			userRoot(w, unix.CLONE_NEWUSER|unix.CLONE_NEWNS, func(c sandbox.Call) { w.Observe(c) })
		}},
	}...)
}

// userRoot lets a child made with the clone flags call pivot_root as root of its new user
// namespace. The child builds the jail that it pivots in if it has a mount namespace of
// its own; else it uses one that is made beforehand.
func userRoot(w *sandbox.World, flags int, report func(sandbox.Call)) {
	w.RequireUserNamespaces()
	base := w.Base()
	own := flags&unix.CLONE_NEWNS != 0
	if !own {
		w.Tmpfs(base)
		w.Mkdir(base + "/new")
		w.Tmpfs(base + "/new")
		w.Mkdir(base + "/new/old")
	}
	p := w.Fork("user root", flags, func(s *sandbox.Script) {
		s.Pause() // until its IDs are mapped
		if own {
			s.Tmpfs(base)
			s.Mkdir(base + "/new")
			s.Tmpfs(base + "/new")
			s.Mkdir(base + "/new/old")
		}
		s.Chroot(base)
		s.Chdir("/")
		s.Pause()
		s.PivotRoot("/new", "/new/old")
		s.Pause()
	})
	p.MapRoot()
	p.Resume()
	report(p.Call("/new"))
	if !own {
		w.Detach(base)
	}
}

// ordinary is userRoot without any new namespace: the control.
func ordinary(w *sandbox.World, report func(sandbox.Call)) {
	userRoot(w, 0, report)
}
