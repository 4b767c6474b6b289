package model_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pivotspec/suites/model"
)

func TestPivotRoot(t *testing.T) {
	const jail = "1@0:/a 2@1:/a "
	at := func(where string) string { return jail + where }
	oldest, newest := model.Series{5, 10}, model.Series{7, 3}
	for _, c := range []struct {
		world string
		era   model.Series // zero for every era
		want  model.Errno
		check model.Check
	}{
		{world: at("root=1:/ cwd=1:/ new=/a old=/a/a"), want: model.OK},
		{world: at("root=1:/ cwd=2:/ new=. old=."), want: model.OK},
		{world: at("root=1:/ cwd=1:/ incapable new=/a old=/a/a"), want: model.EPERM, check: model.Capability},
		{world: at("root=1:/ cwd=1:/ incapable new=/n old=/a/a"), era: oldest, want: model.EPERM, check: model.Capability},
		{world: at("root=1:/ cwd=1:/ incapable new=/n old=/a/a"), era: newest, want: model.ENOENT, check: model.NewRootLookup},
		{world: at("root=1:/ cwd=1:/ new= old=!"), want: model.ENOENT, check: model.NewRootLookup},
		{world: at("root=1:/ cwd=1:/ new=/a old=!"), want: model.EFAULT, check: model.PutOldLookup},
		{world: at("root=1:/ cwd=1:/ new=/a old=/f"), want: model.ENOTDIR, check: model.PutOldLookup},
		{world: at("root=1:/ cwd=1:/ new=/a old=@2:/x"), want: model.ENOENT, check: model.PutOldMountable},
		{world: "1@0:/a 2@1:/a,shared root=1:/ cwd=1:/ new=/a old=/a/a", want: model.EINVAL, check: model.NotShared},
		{world: "1@0:/a 2@1:/a,shared 3@2:/a root=1:/ cwd=1:/ new=/a old=/a/a", want: model.OK},
		{world: "1@0:/a,shared 2@1:/a root=1:/ cwd=1:/ new=/a old=/a/a", want: model.EINVAL, check: model.NotShared},
		{world: "0,shared 1@0:/a 2@1:/a root=1:/ cwd=1:/ new=/a old=/a/a", want: model.EINVAL, check: model.NotShared},
		{world: "1@0:/a,slave 2@1:/a,unbindable root=1:/ cwd=1:/ new=/a old=/a/a", want: model.OK},
		{world: "0,locked 1@0:/a,locked 2@1:/a,locked root=1:/ cwd=1:/ new=/a old=/a/a", want: model.EINVAL, check: model.NewRootNotLocked},
		{world: "0,locked 1@0:/a,locked 2@1:/a root=1:/ cwd=1:/ incapable new=/a old=/a/a", want: model.OK},
		{world: jail + "3@foreign root=1:/ cwd=3:/ new=. old=/a", want: model.EINVAL, check: model.OwnNamespace},
		{world: jail + "3@anonymous root=1:/ cwd=3:/ new=. old=/a", want: model.EINVAL, check: model.OwnNamespace},
		{world: jail + "3@detached root=1:/ cwd=3:/ new=/a old=.", era: oldest, want: model.EINVAL, check: model.PutOldBelowNewRoot},
		{world: jail + "3@detached root=1:/ cwd=3:/ new=/a old=.", era: newest, want: model.ENOENT, check: model.PutOldMounted},
		{world: at("root=1:/ cwd=2:/x new=. old=/a"), want: model.ENOENT, check: model.NewRootNotRemoved},
		{world: at("root=1:/ cwd=1:/ new=/ old=/a"), want: model.EBUSY, check: model.NotOnRoot},
		{world: at("root=1:/ cwd=1:/ new=/a old=/c"), want: model.EBUSY, check: model.NotOnRoot},
		{world: "1@0:/a 2@1:/a/b root=1:/a cwd=1:/a new=/b old=/b/a", want: model.EINVAL, check: model.RootIsMountPoint},
		{world: "1@0:/a root=0:/ cwd=0:/ new=/a old=/a/a", era: oldest, want: model.EINVAL, check: model.RootHasParent},
		{world: "1@0:/a root=0:/ cwd=0:/ new=/a old=/a/a", era: newest, want: model.OK},
		{world: "1@0:/a root=0:/ cwd=0:/ new=/ old=/a", era: oldest, want: model.EINVAL, check: model.NewRootNotLocked},
		{world: "1@0:/a root=0:/ cwd=0:/ new=/ old=/a", era: model.Series{6, 17}, want: model.EBUSY, check: model.NotOnRoot},
		{world: at("root=1:/ cwd=1:/ new=/a/a old=/a/c"), want: model.EINVAL, check: model.NewRootMountPoint},
		{world: "1@0:/a 2@1:/a 3@1:/c root=1:/ cwd=1:/ new=/a old=/c", want: model.EINVAL, check: model.PutOldBelowNewRoot},
		{world: "1@0:/a 2@0:/c root=1:/ cwd=2:/ new=. old=.", want: model.EINVAL, check: model.NewRootBelowRoot},
	} {
		w, err := model.Parse(c.world)
		if err != nil {
			t.Fatal(err)
		}
		for _, era := range model.Eras() {
			if c.era != (model.Series{}) && model.EraOf(c.era).Since != era.Since {
				continue
			}
			before := w.String()
			got := model.PivotRoot(&era, &w)
			if got.Errno != c.want || got.Failed != c.check {
				t.Errorf("%s: %s: got %s (%s), want %s (%s)", era.Name, c.world, got.Errno, got.Failed, c.want, c.check)
			}
			if w.String() != before {
				t.Errorf("%s: the call changed the world itself", c.world)
			}
			if got.Errno != model.OK && (got.Root != w.Root || got.Cwd != w.Cwd || !slices.Equal(got.Mounts, era.Mounts(&w)) || !slices.Equal(got.Tasks, w.Tasks)) {
				t.Errorf("%s: %s: something moves on %s", era.Name, c.world, got.Errno)
			}
		}
	}
}

func TestPivotRootMoves(t *testing.T) {
	w, err := model.Parse("0,locked 1@0:/a,locked 2@1:/a root=1:/ cwd=1:/ new=/a old=/a/c task=1:/+1:/a other=0:/+1:/")
	if err != nil {
		t.Fatal(err)
	}
	got := model.PivotRoot(model.EraOf(model.Series{7, 0}), &w)
	n := model.Pos{Mount: 2}
	if got.Root != n || got.Cwd != n {
		t.Errorf("root %v, cwd %v; want both %v", got.Root, got.Cwd, n)
	}
	if want := []model.Task{{Root: n, Cwd: model.Pos{Mount: 1, Dir: model.A}}, {Root: model.Pos{}, Cwd: n, Other: true}}; !slices.Equal(got.Tasks, want) {
		t.Errorf("bystanders %v, want %v", got.Tasks, want)
	}
	if got.Mounts[1].On != (model.Pos{Mount: 2, Dir: model.C}) || got.Mounts[2].On != (model.Pos{Mount: 0, Dir: model.A}) {
		t.Errorf("old root on %v, new root on %v", got.Mounts[1].On, got.Mounts[2].On)
	}
	if got.Mounts[1].Locked || !got.Mounts[2].Locked {
		t.Error("being locked does not stay with the place")
	}
}

func TestLookup(t *testing.T) {
	const mounts = "1@0:/a 2@1:/ 3@1:/a/b "
	for _, c := range []struct{ where, path, want string }{
		{"root=1:/ cwd=1:/", "/", "1:/"},
		{"root=1:/ cwd=1:/", ".", "1:/"},
		{"root=1:/ cwd=1:/", "..", "2:/"},
		{"root=0:/ cwd=0:/", "/a", "2:/"},
		{"root=0:/ cwd=2:/a", "..", "2:/"},
		{"root=0:/ cwd=2:/a", "../..", "0:/"},
		{"root=1:/ cwd=1:/", "/a/b", "3:/"},
		{"root=1:/ cwd=3:/", "..", "1:/a"},
		{"root=1:/ cwd=3:/", "../../..", "2:/"},
		{"root=1:/ cwd=0:/c", "..", "0:/"},
		{"root=1:/ cwd=1:/x", "..", "2:/"},
		{"root=1:/ cwd=1:/", "x", "ENOENT"},
		{"root=1:/ cwd=1:/", "f", "ENOTDIR"},
		{"root=1:/ cwd=1:/a", "f", "ENOENT"},
		{"root=1:/ cwd=1:/a", "", "ENOENT"},
	} {
		w, err := model.Parse(mounts + c.where + " new=/ old=/")
		if err != nil {
			t.Fatal(err)
		}
		p, e := model.Lookup(&w, c.path)
		got := p.String()
		if e != model.OK {
			got = string(e)
		}
		if got != c.want {
			t.Errorf("%s: %q leads to %s, want %s", c.where, c.path, got, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const call = " root=0:/ cwd=0:/ new=/ old=/"
	for _, text := range []string{
		"", "root=0:/", "1@0:/a", "2@0:/a" + call, "1@1:/a" + call, "1@0:/x" + call, "1@0:/a 2@0:/a" + call,
		"1@0:/a,locked" + call, "0,locked" + call + " task=9:/+0:/", "1@0:/a,shared,slave" + call, "1@nowhere" + call,
		"1=0:/a@foreign" + call, "1@0:/b" + call, "1@0:/a 2=2:/@1:/a" + call, "root=1:/ cwd=0:/ new=/ old=/",
		"root=0:/ root=0:/ cwd=0:/ new=/ old=/", "root=0:/ cwd=0:/ new=/etc/passwd old=/", "root=0:/a cwd=0:/a new=@0:/c old=/",
		"0,locked 1@0:/a,locked 2@0:/c root=0:/a cwd=0:/ new=/ old=/", call + " task=0:/", call + " bystander", call + " capable=1",
		"1@0:/a 2@1:/a 3@2:/a 4@3:/a 5@4:/a 6@5:/a 7@6:/a 8@7:/a 9@8:/a" + call,
	} {
		w, err := model.Parse(text)
		if err == nil {
			t.Errorf("%q: parsed as %q", text, w.String())
		} else if e := (*model.SyntaxError)(nil); !errors.As(err, &e) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v: not one line of a SyntaxError", text, err)
		}
	}
}

func TestEraOf(t *testing.T) {
	for release, want := range map[string]model.Series{
		"5.4.1": {5, 10}, "5.10.0-32-cloud-amd64": {5, 10}, "6.11": {5, 10}, "6.12.107+deb13": {6, 12}, "6.16.1": {6, 12},
		"6.17.3": {6, 17}, "6.19.2": {6, 17}, "7.0.13": {7, 0}, "7.3-rc4": {7, 0}, "8.1.0": {7, 0},
	} {
		s, err := model.SeriesOf(release)
		if got := model.EraOf(s); err != nil || got.Since != want {
			t.Errorf("%s: era since %v, %v; want %v", release, got.Since, err, want)
		}
	}
	if _, err := model.SeriesOf("linux"); err == nil {
		t.Error("a release without numbers has a series")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("1@0:/a 2@1:/a,shared root=1:/ cwd=1:/ new=/a old=/a/a task=1:/+1:/a other=0:/+0:/")
	f.Add("0,locked 1@0:/a,locked 2=1:/a@1:/c,slave root=1:/ cwd=2:/a incapable new=@2:/a old=!")
	f.Add("0,shared 1@foreign 2@detached 3@anonymous root=0:/ cwd=0:/x new= old=..")
	f.Fuzz(func(t *testing.T, text string) {
		w, err := model.Parse(text)
		if err != nil {
			return
		}
		again, err := model.Parse(w.String())
		if err != nil || again.String() != w.String() {
			t.Fatalf("%q became %q, then %q (%v)", text, w.String(), again.String(), err)
		}
		for _, era := range model.Eras() {
			out := model.PivotRoot(&era, &w)
			if out.Errno == model.OK && out.Root == w.Root {
				t.Fatalf("%q: a success that does not move the root", text)
			}
		}
	})
}
