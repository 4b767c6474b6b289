// Package success observes what a pivot does to the mount tree, and what it leaves alone.
package success

import (
	"slices"

	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	return slices.Concat(treeSpecs(), again(), mounts(), namespaces(), propagation(), []spec.Spec{
		{ID: "success/old-root-moves-to-put-old", Body: func(w *sandbox.World) {
			w.Jail()
			root, next := w.MountAt(w.Self(), "/"), w.MountAt(w.Self(), "/new")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Chdir("/")
			w.Fact("at-slash", w.Label("/"))
			w.Fact("at-put-old", w.Label("/old"))
			root2, ok := w.FindMount(w.Self(), "/old")
			next2, ok2 := w.FindMount(w.Self(), "/")
			w.Fact("mount-ids", keptOr(ok && ok2 && root.ID == root2.ID && next.ID == next2.ID))
			w.Fact("old-root-parent", parent(root2.Parent, map[string]string{next.ID: "new_root's mount"}))
			w.Fact("new-root-parent", parent(next2.Parent, map[string]string{root.Parent: "old root's parent"}))
		}},
		{ID: "success/put-old-below-new-root-across-mounts", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/a")
			w.Tmpfs("/new/a")
			w.Mkdir("/new/a/b")
			w.Mkdir("/new/a/b/c")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/a/b/c"))
			w.Fact("at-put-old", w.Label("/a/b/c"))
		}},
		{ID: "success/put-old-is-new-root", Body: func(w *sandbox.World) {
			w.Jail()
			w.ObserveSuccess(w.PivotRoot("/new", "/new"))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("on-top-of-slash", w.Label("/.."))
		}},
		{ID: "success/put-old-private-mount-point-is-covered", Body: func(w *sandbox.World) {
			w.Jail()
			w.Tmpfs("/new/old")
			w.Mark("put_old's own mount", "/new/old")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-put-old", w.Label("/old"))
			w.Fact("umount", w.Umount("/old", unix.MNT_DETACH).Outcome)
			w.Fact("at-put-old-after-umount", w.Label("/old"))
		}},
		{ID: "success/directory-bound-onto-itself", Body: func(w *sandbox.World) {
			w.JailWithout()
			w.Mkdir("/new")
			w.Mkdir("/new/old")
			w.Bind("/new", "/new")
			w.Mark("new_root", "/new")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("at-put-old", w.Label("/old"))
		}},
		{ID: "success/root-bound-below-itself", Body: func(w *sandbox.World) {
			w.JailWithout()
			w.Mkdir("/new")
			w.Mkdir("/old")
			w.Bind("/", "/new")
			w.Mark("new_root", "/new")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-slash", w.Label("/"))
			w.Fact("at-put-old", w.Label("/old"))
		}},
		{ID: "success/chroot-onto-a-mount-point", Body: func(w *sandbox.World) {
			mend := w.JailDirectory()
			mend()
			w.Mark("new_root", "/new")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-slash", w.Label("/"))
		}},
		{ID: "success/old-root-can-be-unmounted", Body: func(w *sandbox.World) {
			w.Jail()
			// Another task that would keep the old root busy had it not been moved.
			p := w.Fork("bystander", 0, func(s *sandbox.Script) {})
			w.Expect(p.PID, sandbox.Root, "old_root")
			w.Expect(p.PID, sandbox.Cwd, "old_root")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("umount", w.Umount("/old", 0).Outcome)
			w.Fact("at-put-old-after-umount", w.Label("/old"))
		}},
		{ID: "success/old-root-in-use-cannot-be-unmounted", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/sub")
			w.Fork("bystander", 0, func(s *sandbox.Script) { s.Chdir("/sub") })
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("umount", w.Umount("/old", 0).Outcome)
			w.Fact("lazy-umount", w.Umount("/old", unix.MNT_DETACH).Outcome)
		}},
		{ID: "success/nothing-propagates-to-another-namespace", Body: func(w *sandbox.World) {
			w.Jail()
			// The one mount that may be shared: new_root, with put_old on a private one.
			w.Tmpfs("/new/old")
			w.Propagation("/new", sandbox.Shared)
			peer := w.Peer()
			quiet(w, peer.PID, func() { w.ObserveSuccess(w.PivotRoot("/new", "/new/old")) })
		}},
		{ID: "success/pivot-back", Body: func(w *sandbox.World) {
			w.Jail()
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Chdir("/")
			w.Fact("back", w.PivotRoot("/old", "/old/new").Result())
			w.Fact("at-slash", w.Label("/"))
			w.Fact("at-new", w.Label("/new"))
		}},
		// The page's EXAMPLES, step by step.
		{ID: "success/recipe-of-the-example", Body: func(w *sandbox.World) {
			w.JailWithout()
			w.Mkdir("/rootfs")
			// As most machines have it, or the program's first step would do nothing.
			w.Propagation("/", sandbox.Shared)
			w.PropagationBelow("/", sandbox.Private)
			w.Bind("/rootfs", "/rootfs")
			w.Mark("new_root", "/rootfs")
			w.Mkdir("/rootfs//oldrootfs")
			w.ObserveSuccess(w.PivotRoot("/rootfs", "/rootfs//oldrootfs"))
			w.Chdir("/")
			w.Fact("umount", w.Umount("/oldrootfs", unix.MNT_DETACH).Outcome)
			w.Fact("rmdir", w.TryRmdir("/oldrootfs").Outcome)
			w.Fact("at-put-old-after-rmdir", w.Label("/oldrootfs"))
			w.Fact("at-slash", w.Label("/"))
		}},
		{ID: "success/put-old-cannot-be-removed-or-renamed", Body: func(w *sandbox.World) {
			w.Jail()
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("rmdir", w.TryRmdir("/old").Outcome)
			w.Fact("rename", w.TryRename("/old", "/other").Outcome)
		}},
	})
}

func keptOr(kept bool) string {
	if kept {
		return "kept"
	}
	return "changed"
}

func parent(id string, names map[string]string) string {
	if n, ok := names[id]; ok {
		return n
	}
	return "another mount"
}
