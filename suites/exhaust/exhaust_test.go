package exhaust

import (
	"testing"

	"pivotspec/suites/model"
)

func TestLettersDiffer(t *testing.T) {
	seen := map[byte]model.Errno{disagrees: "", unseen: ""}
	for _, e := range []model.Errno{model.OK, model.EINVAL, model.EBUSY, model.ENOENT, model.EPERM, model.EFAULT, model.ENOTDIR, "EIO"} {
		if other, taken := seen[Letter(e)]; taken {
			t.Errorf("%s and %q have the letter %c", e, other, Letter(e))
		}
		seen[Letter(e)] = e
	}
}

func TestHangs(t *testing.T) {
	const text = "20 1 0:2 / / rw - rootfs none rw\n" +
		"30 20 0:20 / /a rw shared:7 - tmpfs tmpfs rw\n" +
		"31 30 0:20 /a /a/c rw master:7 - tmpfs tmpfs rw\n" +
		"32 31 0:21 / /a/c/b rw unbindable - tmpfs tmpfs rw\n" +
		"33 30 0:22 / /a rw - tmpfs tmpfs rw\n" +
		"34 99 0:23 / /z rw - tmpfs tmpfs rw\n"
	list, err := parseMountinfo([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	l := &Lab{ids: []uint64{20, 30, 31, 32, 33, 34}, beyond: 1}
	want := []model.Pos{{Mount: model.Nullfs}, {Mount: 0, Dir: model.A}, {Mount: 1, Dir: model.C}, {Mount: 2, Dir: model.AB}, {Mount: 1}, elsewhere}
	for i := range list {
		if got := l.hangs(list, &list[i]); got != want[i] {
			t.Errorf("mount %d hangs on %v, want %v", i, got, want[i])
		}
	}
}

func TestSame(t *testing.T) {
	w, err := model.Parse("1@0:/a 2@1:/a root=1:/ cwd=1:/ new=/a old=/a/a task=1:/+1:/")
	if err != nil {
		t.Fatal(err)
	}
	era := model.EraOf(model.Series{7, 0})
	want := model.PivotRoot(era, &w)
	for name, change := range map[string]func(*model.Outcome){
		"errno":  func(o *model.Outcome) { o.Errno = model.EINVAL },
		"root":   func(o *model.Outcome) { o.Root = w.Root },
		"cwd":    func(o *model.Outcome) { o.Cwd = w.Cwd },
		"task":   func(o *model.Outcome) { o.Tasks[0].Cwd = w.Cwd },
		"tree":   func(o *model.Outcome) { o.Mounts[1].On = w.Mounts[1].On },
		"locked": func(o *model.Outcome) { o.Mounts[2].Locked = true },
	} {
		got := model.PivotRoot(era, &w)
		if !Same(&want, &got) {
			t.Fatal("the model differs from itself")
		}
		change(&got)
		if Same(&want, &got) || Describe(era, &w, &want) == Describe(era, &w, &got) {
			t.Errorf("%s: the difference is not seen", name)
		}
	}
}

func FuzzMountinfo(f *testing.F) {
	f.Add([]byte("20 1 0:2 / / rw shared:1 - rootfs none rw\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := parseMountinfo(text)
		if err != nil {
			return
		}
		l := &Lab{ids: []uint64{20, 30}, beyond: 1}
		for i := range list {
			l.hangs(list, &list[i])
		}
	})
}
