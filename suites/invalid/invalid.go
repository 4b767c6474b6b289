// Package invalid observes EINVAL, one cause a spec, with as positive control the same world
// with that one cause mended.
package invalid

import (
	"slices"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	return slices.Concat(unreachable(), variants(), []spec.Spec{
		{ID: "einval/new-root-not-a-mount-point", Body: func(w *sandbox.World) {
			w.Jail()
			// On a third mount, or EBUSY would come first.
			w.Mkdir("/new/dir")
			w.Mkdir("/new/dir/old")
			w.Observe(w.PivotRoot("/new/dir", "/new/dir/old"))
			w.Bind("/new/dir", "/new/dir")
			w.Control(w.PivotRoot("/new/dir", "/new/dir/old"))
		}},
		{ID: "einval/put-old-not-below-new-root", Body: func(w *sandbox.World) {
			w.Jail()
			// On a third mount, or EBUSY would come first.
			w.Mkdir("/third")
			w.Tmpfs("/third")
			w.Mkdir("/third/old")
			w.Observe(w.PivotRoot("/new", "/third/old"))
			w.Mkdir("/new/third")
			w.Move("/third", "/new/third")
			w.Control(w.PivotRoot("/new", "/new/third/old"))
		}},
		{ID: "einval/put-old-above-new-root", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/inner")
			w.Tmpfs("/new/inner")
			w.Mkdir("/new/inner/old")
			w.Observe(w.PivotRoot("/new/inner", "/new/old"))
			w.Control(w.PivotRoot("/new/inner", "/new/inner/old"))
		}},
		{ID: "einval/current-root-not-a-mount-point", Body: func(w *sandbox.World) {
			mend := w.JailDirectory()
			w.Observe(w.PivotRoot("/new", "/new/old"))
			mend()
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/put-old-shared-mount-point", Body: func(w *sandbox.World) {
			w.Jail()
			w.Tmpfs("/new/old")
			w.Propagation("/new/old", sandbox.Shared)
			w.Observe(w.PivotRoot("/new", "/new/old"))
			w.Propagation("/new/old", sandbox.Private)
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		// The kernel asks after the mount that contains put_old, mount point or not.
		{ID: "einval/put-old-on-shared-third-mount", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/third")
			w.Tmpfs("/new/third")
			w.Mkdir("/new/third/old")
			w.Propagation("/new/third", sandbox.Shared)
			w.ObserveRefusal(w.PivotRoot("/new", "/new/third/old"))
			w.Propagation("/new/third", sandbox.Private)
			w.Control(w.PivotRoot("/new", "/new/third/old"))
		}},
		{ID: "einval/new-root-shared-put-old-on-it", Body: func(w *sandbox.World) {
			w.Jail()
			w.Propagation("/new", sandbox.Shared)
			w.Observe(w.PivotRoot("/new", "/new/old"))
			w.Propagation("/new", sandbox.Private)
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "success/new-root-shared-put-old-on-private-mount", Body: func(w *sandbox.World) {
			w.Jail()
			w.Tmpfs("/new/old")
			w.Propagation("/new", sandbox.Shared)
			w.Observe(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/new-root-parent-shared", Body: func(w *sandbox.World) {
			w.Jail()
			// A parent that is not the root mount, so that nothing else is shared.
			w.Mkdir("/new/inner")
			w.Tmpfs("/new/inner")
			w.Mkdir("/new/inner/old")
			w.Propagation("/new", sandbox.Shared)
			w.Observe(w.PivotRoot("/new/inner", "/new/inner/old"))
			w.Propagation("/new", sandbox.Private)
			w.Control(w.PivotRoot("/new/inner", "/new/inner/old"))
		}},
		{ID: "einval/new-root-parent-is-shared-root-mount", Body: func(w *sandbox.World) {
			w.Jail()
			w.Propagation("/", sandbox.Shared)
			w.Observe(w.PivotRoot("/new", "/new/old"))
			w.Propagation("/", sandbox.Private)
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/current-root-parent-shared", Body: func(w *sandbox.World) {
			parent := jailInJail(w)
			share := func(kind string) {
				w.At(parent, "the mount that the root is mounted on", func() { w.Propagation(".", kind) })
			}
			share(sandbox.Shared)
			w.ObserveRefusal(w.PivotRoot("/new", "/new/old"))
			share(sandbox.Private)
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		// What the page asks of propagation goes no further than MS_SHARED.
		{ID: "success/root-mount-shared-new-root-parent-private", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/inner")
			w.Tmpfs("/new/inner")
			w.Mkdir("/new/inner/old")
			w.Propagation("/", sandbox.Shared)
			w.Observe(w.PivotRoot("/new/inner", "/new/inner/old"))
		}},
		{ID: "success/slave-mounts", Body: func(w *sandbox.World) { allOf(w, sandbox.Slave) }},
		{ID: "success/unbindable-mounts", Body: func(w *sandbox.World) { allOf(w, sandbox.Unbindable) }},
		{ID: "einval/new-root-outside-the-callers-root", Body: func(w *sandbox.World) {
			parent := jailInJail(w)
			w.Fchdir(parent, "the mount that the root is mounted on")
			w.Mkdir("beside")
			w.Tmpfs("beside")
			w.Mkdir("beside/old")
			w.Observe(w.PivotRoot("beside", "beside/old"))
			w.Mkdir("jail/beside")
			w.Move("beside", "jail/beside")
			w.Control(w.PivotRoot("jail/beside", "jail/beside/old"))
		}},
	})
}

// jailInJail is a jail whose root is mounted on a private tmpfs of ours at the directory
// jail, and returns a descriptor of that tmpfs: what lies outside the caller's root.
func jailInJail(w *sandbox.World) (parent int) {
	w.Tmpfs(w.Base())
	w.Mkdir(w.Base() + "/jail")
	w.Tmpfs(w.Base() + "/jail")
	parent = w.Open(w.Base())
	w.Chroot(w.Base() + "/jail")
	w.Mark("old_root", "/")
	w.Mkdir("/new")
	w.Tmpfs("/new")
	w.Mkdir("/new/old")
	w.Mark("new_root", "/new")
	return parent
}

// allOf pivots among mounts that all have the given propagation type: the root's parent, the
// root, new_root's parent, new_root and put_old. A slave is made of a shared mount with a
// peer elsewhere, else the kernel makes it private.
func allOf(w *sandbox.World, kind string) {
	w.Tmpfs(w.Base())
	base := w.Base()
	w.Mkdir(base + "/jail")
	w.Tmpfs(base + "/jail")
	w.Mkdir(base + "/jail/new")
	w.Tmpfs(base + "/jail/new")
	w.Mkdir(base + "/jail/new/old")
	w.Tmpfs(base + "/jail/new/old")
	paths := []string{base, base + "/jail", base + "/jail/new", base + "/jail/new/old"}
	if kind == sandbox.Slave {
		for _, p := range paths {
			w.Propagation(p, sandbox.Shared)
		}
		w.Peer()
	}
	for _, p := range paths {
		w.Propagation(p, kind)
	}
	self := w.Mountinfo(w.Self())
	want := map[string]string{sandbox.Slave: "master:", sandbox.Unbindable: "unbindable"}[kind]
	w.RequirePropagation(self, paths, want)
	w.Chroot(base + "/jail")
	w.Mark("old_root", "/")
	w.Mark("new_root", "/new")
	w.Observe(w.PivotRoot("/new", "/new/old"))
}
