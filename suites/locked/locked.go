// Package locked observes pivots in a user namespace: the mounts that its mount namespace
// inherits are locked together, so that nobody there can look beneath one (MNT_LOCKED).
package locked

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// tree is what a tenant inherits: a tmpfs on the world's base, with a tmpfs on new and the
// directory old in that.
func tree(w *sandbox.World) (base string) {
	base = w.Base()
	w.Tmpfs(base)
	w.Mkdir(base + "/new")
	w.Tmpfs(base + "/new")
	w.Mkdir(base + "/new/old")
	return base
}

// tenant starts a process with a user namespace and a mount namespace of its own, as root there,
// which enters what it inherited at the world's base and goes on with live. tenant returns
// when live has come to its first pause.
func tenant(w *sandbox.World, live func(*sandbox.Script)) *sandbox.Process {
	w.RequireUserNamespaces()
	base := w.Base()
	p := w.Fork("user root", unix.CLONE_NEWUSER|unix.CLONE_NEWNS, func(s *sandbox.Script) {
		s.Pause() // until its IDs are mapped
		s.Chroot(base)
		s.Chdir("/")
		live(s)
	})
	p.MapRoot()
	p.Resume()
	return p
}

// refused observes a tenant's pivot that fails because new_root is locked, and as control its
// pivot to control after it has mended what mend does. That new_root is locked is made sure of
// first, or the errno could have another cause.
func refused(w *sandbox.World, newRoot, putOld string, mend func(*sandbox.Script), control string) {
	p := tenant(w, func(s *sandbox.Script) {
		s.RequireLocked(newRoot)
		s.Pause()
		s.PivotRoot(newRoot, putOld)
		s.Pause()
		mend(s)
		s.Pause()
		s.PivotRoot(control, control+"/old")
	})
	w.Observe(p.Call(newRoot))
	p.Resume()
	w.Control(p.Call(control))
}

// allowed observes a tenant's pivot that succeeds, after prepare.
func allowed(w *sandbox.World, newRoot, putOld string, prepare func(*sandbox.Script)) {
	p := tenant(w, func(s *sandbox.Script) {
		prepare(s)
		s.Pause()
		s.PivotRoot(newRoot, putOld)
	})
	w.Observe(p.Call(newRoot))
}

// ontoItself is what mends a locked new_root: the copy on top of it is not locked. It has to be
// recursive, for a locked mount below must not be uncovered.
func ontoItself(path string) func(*sandbox.Script) {
	return func(s *sandbox.Script) { s.Rbind(path, path) }
}

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	return []spec.Spec{
		{ID: "einval/new-root-locked", Body: func(w *sandbox.World) {
			tree(w)
			refused(w, "/new", "/new/old", ontoItself("/new"), "/new")
		}},
		{ID: "einval/new-root-locked-with-mounts-below", Body: func(w *sandbox.World) {
			base := tree(w)
			w.Mkdir(base + "/new/dev")
			w.Tmpfs(base + "/new/dev")
			refused(w, "/new", "/new/old", ontoItself("/new"), "/new")
		}},
		{ID: "einval/new-root-is-slash-root-locked", Body: func(w *sandbox.World) {
			tree(w)
			refused(w, "/", "/new/old", ontoItself("/new"), "/new")
		}},
		{ID: "order/new-root-unlinked-or-locked", Body: func(w *sandbox.World) {
			base := tree(w)
			w.Mkdir(base + "/gone")
			w.Mkdir(base + "/mnt")
			w.Bind(base+"/gone", base+"/mnt")
			w.Rmdir(base + "/gone")
			refused(w, "/mnt", "/new/old", ontoItself("/new"), "/new")
		}},
		{ID: "success/put-old-locked", Body: func(w *sandbox.World) {
			base := tree(w)
			w.Tmpfs(base + "/new/old")
			allowed(w, "/new", "/new/old", func(s *sandbox.Script) {
				ontoItself("/new")(s)
				s.RequireLocked("/new/old")
			})
		}},
		{ID: "success/locked-mount-elsewhere", Body: func(w *sandbox.World) {
			base := tree(w)
			w.Mkdir(base + "/own")
			allowed(w, "/own", "/own/old", func(s *sandbox.Script) {
				s.RequireLocked("/new")
				s.Tmpfs("/own")
				s.Mkdir("/own/old")
			})
		}},
		// A runtime that cannot make an inherited mount private has no need to: the copy of a
		// shared mount is a slave there.
		{ID: "success/inherited-shared-mounts-are-slaves", Body: func(w *sandbox.World) {
			base := tree(w)
			w.Propagation(base, sandbox.Shared)
			w.Propagation(base+"/new", sandbox.Shared)
			p := tenant(w, func(s *sandbox.Script) {
				ontoItself("/new")(s)
				s.Pause()
				s.PivotRoot("/new", "/new/old")
			})
			w.RequirePropagation(w.Mountinfo(p.PID), []string{"/", "/new"}, "master:")
			w.Observe(p.Call("/new"))
		}},
		// What arrives later by propagation is locked below its top.
		{ID: "success/new-root-propagated", Body: func(w *sandbox.World) {
			p := late(w, "/late", nil)
			w.Observe(p.Call("/late"))
		}},
		{ID: "einval/new-root-propagated-below-another-mount", Body: func(w *sandbox.World) {
			p := late(w, "/late/inner", ontoItself("/late/inner"))
			w.Observe(p.Call("/late/inner"))
			p.Resume()
			w.Control(p.Call("/late/inner"))
		}},
		// The capability counts in the user namespaces below its own as well.
		{ID: "success/root-of-parent-user-namespace", Body: func(w *sandbox.World) {
			tree(w)
			base := w.Base()
			owner := tenant(w, ontoItself("/new"))
			ns := w.OpenNamespace(owner.PID, "user root")
			p := w.Fork("parent's root", 0, func(s *sandbox.Script) {
				s.EnterNamespace(ns, "user root")
				s.Chroot(base)
				s.Chdir("/")
				s.Pause()
				s.PivotRoot("/new", "/new/old")
			})
			w.Observe(p.Call("/new"))
		}},
		// Root of a user namespace has no power over files of users that it does not map.
		{ID: "eacces/put-old-prefix-of-unmapped-owner", Body: func(w *sandbox.World) {
			base := tree(w)
			const unmapped = 1000
			w.Mkdir(base + "/new/closed")
			w.Mkdir(base + "/new/closed/old")
			w.Chmod(base+"/new/closed", 0o700)
			w.Chown(base+"/new/closed", unmapped)
			p := tenant(w, func(s *sandbox.Script) {
				s.Rbind("/new", "/new")
				s.Pause()
				s.PivotRoot("/new", "/new/closed/old")
				s.Pause()
				s.PivotRoot("/new", "/new/closed/old")
			})
			w.Observe(p.Call("/new"))
			w.Chown(base+"/new/closed", 0)
			w.Control(p.Call("/new"))
		}},
		{ID: "eacces/new-root-prefix-of-unmapped-owner", Body: func(w *sandbox.World) {
			base := tree(w)
			const unmapped = 1000
			w.Mkdir(base + "/closed")
			w.Mkdir(base + "/closed/new")
			w.Tmpfs(base + "/closed/new")
			w.Mkdir(base + "/closed/new/old")
			p := tenant(w, func(s *sandbox.Script) {
				s.Rbind("/closed/new", "/closed/new")
				// put_old is reached from the cwd, so that only new_root's prefix is at fault.
				s.Chdir("/closed/new")
				s.Pause()
				s.PivotRoot("/closed/new", "old")
				s.Pause()
				s.PivotRoot("/closed/new", "old")
			})
			w.Chmod(base+"/closed", 0o700)
			w.Chown(base+"/closed", unmapped)
			w.Observe(p.Call("/closed/new"))
			w.Chown(base+"/closed", 0)
			w.Control(p.Call("/closed/new"))
		}},
	}
}

// late is a tenant to which a mount on /late arrives with another on its directory inner, both
// with the directory old. The tenant pivots to newRoot, and again after mend.
func late(w *sandbox.World, newRoot string, mend func(*sandbox.Script)) *sandbox.Process {
	base := tree(w)
	w.Mkdir(base + "/late")
	w.Mkdir(base + "/source")
	w.Tmpfs(base + "/source")
	w.Mkdir(base + "/source/old")
	w.Mkdir(base + "/source/inner")
	w.Tmpfs(base + "/source/inner")
	w.Mkdir(base + "/source/inner/old")
	w.Propagation(base, sandbox.Shared)
	p := tenant(w, func(s *sandbox.Script) {
		s.Pause()
		s.PivotRoot(newRoot, newRoot+"/old")
		s.Pause()
		if mend != nil {
			mend(s)
			s.Pause()
			s.PivotRoot(newRoot, newRoot+"/old")
		}
	})
	w.Rbind(base+"/source", base+"/late")
	// A directory that is no mount point gives the same errno as a locked mount.
	w.MountAt(p.PID, "/late/inner")
	return p
}
