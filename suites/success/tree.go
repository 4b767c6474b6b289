package success

import (
	"slices"

	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// treeSpecs are about what hangs on the two mounts, and about who may change them afterwards.
func treeSpecs() []spec.Spec {
	return []spec.Spec{
		{ID: "success/mounts-below-old-root-travel-along", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/child")
			w.Tmpfs("/child")
			w.Mark("child", "/child")
			root, child := w.MountAt(w.Self(), "/"), w.MountAt(w.Self(), "/child")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-child", w.Label("/old/child"))
			now, ok := w.FindMount(w.Self(), "/old/child")
			w.Fact("mount-ids", keptOr(ok && now.ID == child.ID))
			w.Fact("child-parent", parent(now.Parent, map[string]string{root.ID: "old root's mount"}))
		}},
		{ID: "success/mounts-below-new-root-travel-along", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/child")
			w.Tmpfs("/new/child")
			w.Mark("child", "/new/child")
			next, child := w.MountAt(w.Self(), "/new"), w.MountAt(w.Self(), "/new/child")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-child", w.Label("/child"))
			now, ok := w.FindMount(w.Self(), "/child")
			w.Fact("mount-ids", keptOr(ok && now.ID == child.ID))
			w.Fact("child-parent", parent(now.Parent, map[string]string{next.ID: "new_root's mount"}))
		}},
		{ID: "success/pivot-in-a-jail-seen-from-outside", Body: func(w *sandbox.World) {
			outside := w.Open("/")
			w.Jail()
			b := w.Bystander("observer")
			b.Fchdir(outside, "the root outside")
			b.Chroot(".")
			w.Expect(b.TID, sandbox.Root, "outside")
			jail := w.Base()
			root, next := w.MountAt(b.TID, jail), w.MountAt(b.TID, jail+"/new")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("task-root", w.Where(b.TID, sandbox.Root))
			w.Fact("task-cwd", w.Where(b.TID, sandbox.Cwd))
			w.Fact("at-jail", w.LabelOf(b.TID, sandbox.Root, jail))
			now, ok := w.FindMount(b.TID, jail)
			old, ok2 := w.FindMount(b.TID, jail+"/old")
			w.Fact("mount-ids", keptOr(ok && ok2 && now.ID == next.ID && old.ID == root.ID))
			w.Fact("new-root-parent", parent(now.Parent, map[string]string{root.Parent: "old root's parent"}))
		}},
		{ID: "success/place-of-new-root-is-free", Body: func(w *sandbox.World) {
			w.JailWithout()
			w.Mkdir("/new")
			w.Mark("bare mount point", "/new")
			w.Tmpfs("/new")
			w.Mkdir("/new/old")
			w.Mark("new_root", "/new")
			w.Fact("rmdir-before", w.TryRmdir("/new").Outcome)
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-place", w.Label("/old/new"))
			w.Fact("rmdir", w.TryRmdir("/old/new").Outcome)
			w.Fact("at-place-after-rmdir", w.Label("/old/new"))
		}},
		{ID: "success/put-old-cannot-be-replaced", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/other")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("rename", w.TryRename("/other", "/old").Outcome)
			// The positive control: the same once nothing is mounted there.
			w.Fact("umount", w.Umount("/old", unix.MNT_DETACH).Outcome)
			w.Fact("rename-after-umount", w.TryRename("/other", "/old").Outcome)
		}},
		{ID: "success/put-old-removed-in-another-namespace", Body: func(w *sandbox.World) {
			w.Jail()
			b := w.Bystander("other namespace")
			b.OwnNamespace()
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-put-old", w.Label("/old"))
			w.Fact("rmdir", b.TryRmdir("/new/old").Outcome)
			w.Fact("at-put-old-after-rmdir", w.Label("/old"))
		}},
		{ID: "success/old-root-held-by-a-descriptor", Body: func(w *sandbox.World) {
			w.Jail()
			closeIt := w.Hold("/")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("umount", w.Umount("/old", 0).Outcome)
			closeIt()
			w.Fact("umount-after-close", w.Umount("/old", 0).Outcome)
			w.Fact("at-put-old-after-umount", w.Label("/old"))
		}},
		{ID: "success/old-root-with-a-mount-on-it", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/child")
			w.Tmpfs("/child")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("umount", w.Umount("/old", 0).Outcome)
			w.Fact("umount-of-child", w.Umount("/old/child", 0).Outcome)
			w.Fact("umount-after-that", w.Umount("/old", 0).Outcome)
			w.Fact("at-put-old-after-umount", w.Label("/old"))
		}},
		// What a user namespace refuses for a locked mount, see the area after.
		{ID: "success/new-root-can-be-unmounted-lazily", Body: func(w *sandbox.World) {
			w.Jail()
			next := w.MountAt(w.Self(), "/new")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Chdir("/")
			w.Fact("at-slash", w.Label("/"))
			w.Fact("umount", w.Umount("/", unix.MNT_DETACH).Outcome)
			listed := slices.ContainsFunc(w.Mountinfo(w.Self()), func(m sandbox.Mountinfo) bool { return m.ID == next.ID })
			w.Fact("in-mount-table", map[bool]string{true: "still there", false: "gone"}[listed])
		}},
	}
}
