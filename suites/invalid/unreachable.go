package invalid

import (
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// unreachable returns the specs of arguments and roots that a name does not lead to: outside
// the caller's root, below another mount, no longer mounted.
func unreachable() []spec.Spec {
	return []spec.Spec{
		// What a reimplementation gets wrong that asks for the namespace's root instead of
		// the caller's.
		{ID: "einval/new-root-is-the-namespaces-root", Body: func(w *sandbox.World) {
			outside := w.Open("/")
			w.Jail()
			w.At(outside, "the namespace's root", func() { w.Observe(w.PivotRoot(".", ".")) })
			w.Control(w.PivotRoot("/new", "/new"))
		}},
		{ID: "einval/put-old-on-the-namespaces-root-mount", Body: func(w *sandbox.World) {
			outside := w.Open("/")
			w.Jail()
			w.At(outside, "the namespace's root", func() { w.Observe(w.PivotRoot("/new", ".")) })
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/new-root-is-parent-of-the-callers-root", Body: func(w *sandbox.World) {
			top := w.Base()
			w.Tmpfs(top)
			w.Mkdir(top + "/middle")
			w.Tmpfs(top + "/middle")
			w.Mkdir(top + "/middle/old")
			w.Mkdir(top + "/middle/jail")
			w.Tmpfs(top + "/middle/jail")
			outside, parent := w.Open(top), w.Open(top+"/middle")
			w.Chroot(top + "/middle/jail")
			w.At(parent, "the mount that the root is mounted on", func() { w.Observe(w.PivotRoot(".", "old")) })
			w.Fchdir(outside, "the mount above that")
			w.Chroot(".")
			w.Control(w.PivotRoot("/middle", "/middle/old"))
		}},
		{ID: "einval/new-root-in-another-branch", Body: func(w *sandbox.World) {
			parent := jailInJail(w)
			w.Fchdir(parent, "the mount that the root is mounted on")
			w.Mkdir("branch")
			w.Tmpfs("branch")
			w.Mkdir("branch/new")
			w.Tmpfs("branch/new")
			w.Mkdir("branch/new/old")
			w.Observe(w.PivotRoot("branch/new", "branch/new/old"))
			// The caller's root on the way to both.
			w.Chroot(".")
			w.Control(w.PivotRoot("/branch/new", "/branch/new/old"))
		}},
		{ID: "einval/new-root-outside-by-working-directory", Body: func(w *sandbox.World) {
			parent := jailInJail(w)
			w.Fchdir(parent, "the mount that the root is mounted on")
			w.Mkdir("beside")
			w.Tmpfs("beside")
			w.Chdir("beside")
			w.Observe(w.PivotRoot(".", "."))
			w.Fchdir(parent, "the mount that the root is mounted on")
			w.Chroot(".")
			w.Control(w.PivotRoot("/beside", "/beside"))
		}},
		// The directory below a mount is none, though by name it is a mount point.
		{ID: "einval/new-root-is-the-covered-directory", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/dir")
			below := w.Open("/new/dir")
			w.Tmpfs("/new/dir")
			w.Mkdir("/new/dir/old")
			w.At(below, "the directory below the mount", func() { w.Observe(w.PivotRoot(".", "/new/dir/old")) })
			w.Control(w.PivotRoot("/new/dir", "/new/dir/old"))
		}},
		// The topmost mount on it counts, whatever the descriptor holds.
		{ID: "einval/put-old-covered-by-a-shared-mount", Body: func(w *sandbox.World) {
			w.Jail()
			below := w.Open("/new/old")
			w.Tmpfs("/new/old")
			w.Propagation("/new/old", sandbox.Shared)
			w.At(below, "the directory below the mount", func() { w.Observe(w.PivotRoot("/new", ".")) })
			w.Propagation("/new/old", sandbox.Private)
			w.Fchdir(below, "the directory below the mount")
			w.Control(w.PivotRoot("/new", "."))
		}},
		{ID: "einval/put-old-through-another-bind-of-new-root", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/other")
			w.Bind("/new", "/other")
			w.Observe(w.PivotRoot("/new", "/other/old"))
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/new-root-another-bind-of-the-root", Body: func(w *sandbox.World) {
			w.Jail()
			// The same filesystem as the root's, on another mount: not EBUSY.
			w.Mkdir("/dir")
			w.Mkdir("/self")
			w.Mkdir("/dir/old")
			w.Bind("/", "/self")
			w.Observe(w.PivotRoot("/self/dir", "/self/dir/old"))
			w.Control(w.PivotRoot("/self", "/self/dir/old"))
		}},
		{ID: "einval/current-root-lazily-unmounted", Body: func(w *sandbox.World) {
			parent := jailInJail(w)
			w.Fchdir(parent, "the mount that the root is mounted on")
			w.Mkdir("beside")
			w.Tmpfs("beside")
			w.Mkdir("beside/old")
			w.Detach("jail")
			w.Observe(w.PivotRoot("beside", "beside/old"))
			w.Chroot(".")
			w.Control(w.PivotRoot("beside", "beside/old"))
		}},
		{ID: "einval/every-mount-shared", Body: func(w *sandbox.World) {
			parent := jailInJail(w)
			all := func(kind string) {
				w.At(parent, "the mount that the root is mounted on", func() { w.Propagation(".", kind) })
				w.Propagation("/", kind)
				w.Propagation("/new", kind)
			}
			all(sandbox.Shared)
			w.Observe(w.PivotRoot("/new", "/new/old"))
			all(sandbox.Private)
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		// What container runtimes met with: a directory bound onto itself on a shared mount gets
		// a shared parent, and is shared itself.
		{ID: "einval/new-root-bound-on-a-shared-mount", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/rootfs")
			w.Mkdir("/new/rootfs/old")
			w.Propagation("/new", sandbox.Shared)
			w.Bind("/new/rootfs", "/new/rootfs")
			w.Observe(w.PivotRoot("/new/rootfs", "/new/rootfs/old"))
			w.Detach("/new/rootfs")
			w.Propagation("/new", sandbox.Private)
			w.Bind("/new/rootfs", "/new/rootfs")
			w.Control(w.PivotRoot("/new/rootfs", "/new/rootfs/old"))
		}},
		{ID: "einval/root-of-empty-namespace", Body: func(w *sandbox.World) {
			w.EmptyNamespace()
			// Nothing can be made in the nullfs, so that everything is on a mount on top of
			// it, which "/.." reaches.
			w.Tmpfs("/")
			w.Mkdir("/../new")
			w.Tmpfs("/../new")
			w.Mkdir("/../new/old")
			w.Observe(w.PivotRoot("/../new", "/../new/old"))
			w.Chroot("/..")
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
	}
}
