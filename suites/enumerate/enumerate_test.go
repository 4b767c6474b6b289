package enumerate_test

import (
	"slices"
	"testing"

	"pivotspec/suites/enumerate"
	"pivotspec/suites/model"
)

func TestDefaultWorlds(t *testing.T) {
	req := enumerate.Request{Bounds: enumerate.Default()}
	seen, texts := map[uint64]bool{}, map[string]bool{}
	outcomes := map[model.Check]bool{}
	n := 0
	req.Each(func(w *model.World) bool {
		n++
		if err := w.Check(); err != nil {
			t.Fatal(err)
		}
		text := w.String()
		if again, err := model.Parse(text); err != nil || again.String() != text {
			t.Fatalf("%q is read as %q (%v)", text, again.String(), err)
		}
		if d := enumerate.Digest(0, w); seen[d] || texts[text] {
			t.Fatalf("%q comes twice", text)
		} else {
			seen[d], texts[text] = true, true
		}
		for _, era := range model.Eras() {
			outcomes[model.PivotRoot(&era, w).Failed] = true
		}
		return true
	})
	if n < 20_000 || n != req.Count() {
		t.Errorf("%d worlds, %d counted; want at least 20000", n, req.Count())
	}
	// Every check decides somewhere.
	for _, era := range model.Eras() {
		for _, c := range era.Checks {
			if !outcomes[c] && c != model.NewRootHasParent {
				t.Errorf("no world in which it is decided by: %s", c)
			}
		}
	}
	t.Logf("%d worlds", n)
}

func TestRandomWorlds(t *testing.T) {
	list := func(seed uint64) (out []string) {
		enumerate.Random(seed, 500, func(w *model.World) bool {
			if err := w.Check(); err != nil {
				t.Fatal(err)
			}
			out = append(out, w.String())
			return true
		})
		return out
	}
	one := list(1)
	if len(one) != 500 || !slices.Equal(one, list(1)) {
		t.Errorf("seed 1 gives %d worlds, or others the second time", len(one))
	}
	if slices.Equal(one, list(2)) {
		t.Error("seeds 1 and 2 give the same worlds")
	}
	slices.Sort(one)
	if n := len(slices.Compact(one)); n != 500 {
		t.Errorf("%d different worlds of 500", n)
	}
}

func TestSmaller(t *testing.T) {
	w, err := model.Parse("0,locked 1@0:/a,locked 2@1:/a,shared 3=1:/a@1:/c root=1:/ cwd=2:/ incapable new=@2:/a old=/a task=1:/+1:/a")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for s := range enumerate.Smaller(&w) {
		n++
		if err := s.Check(); err != nil || s.String() == w.String() {
			t.Errorf("%q: %v", s.String(), err)
		}
	}
	if n < 8 {
		t.Errorf("only %d smaller worlds", n)
	}
}

func TestRequest(t *testing.T) {
	for _, r := range []enumerate.Request{
		{Bounds: enumerate.Default()},
		{World: "root=0:/ cwd=0:/ new=/ old=/"},
		{Bounds: enumerate.Bounds{Size: 1, Mounts: 2}, Random: 10, Seed: 1 << 63},
	} {
		word, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := enumerate.Decode(word); err != nil || got != r {
			t.Errorf("%+v became %+v (%v)", r, got, err)
		}
	}
	for _, word := range []string{"", "!", "e30=", "eyJ3b3JsZCI6IngifQ"} {
		if r, err := enumerate.Decode(word); err == nil {
			t.Errorf("%q is read as %+v", word, r)
		}
	}
}

func FuzzDecode(f *testing.F) {
	word, err := enumerate.Request{Bounds: enumerate.Default()}.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(word)
	f.Fuzz(func(t *testing.T, word string) {
		if r, err := enumerate.Decode(word); err == nil && r.Check() != nil {
			t.Fatalf("%+v", r)
		}
	})
}
