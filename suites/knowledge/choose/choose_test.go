package choose_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pivotspec/suites/knowledge"
	"pivotspec/suites/knowledge/choose"
)

func load(t *testing.T) *knowledge.Base {
	t.Helper()
	base, err := knowledge.LoadToJudge()
	if err != nil {
		t.Fatal(err)
	}
	return base
}

func TestBehaviours(t *testing.T) {
	base := load(t)
	var rootfs []string
	for _, b := range base.Behaviours {
		if b.Area() == "rootfs" {
			rootfs = append(rootfs, b.ID)
		}
	}
	for _, tt := range []struct{ words, want []string }{
		{[]string{"rootfs/pivot"}, []string{"rootfs/pivot"}},
		{[]string{"rootfs/"}, rootfs},
		{[]string{"rootfs/pivot", "rootfs/", "rootfs/pivot"}, rootfs},
		{nil, nil},
	} {
		if got, err := choose.Behaviours(base, tt.words); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, %v, want %q", tt.words, got, err, tt.want)
		}
	}
	all, err := choose.Behaviours(base, choose.Words(base))
	if err != nil || len(all) != len(base.Behaviours) {
		t.Errorf("all words: %d behaviours, %v, want %d", len(all), err, len(base.Behaviours))
	}
}

func TestUnknown(t *testing.T) {
	base := load(t)
	for _, tt := range []struct{ word, says string }{
		{"", "is empty"},
		{"rootfs/pivto", "did you mean rootfs/pivot?"},
		{"rootfs", "did you mean rootfs/ or rootfs/pivot"},
		{"rotfs/", "did you mean rootfs/?"},
		{"pivot-from-disk", "did you mean boot/pivot-from-disk?"},
		{"eperm/no-cap", "did you mean eperm/no-cap-sys-admin"},
		{"nonsense-altogether", `there is no behaviour "nonsense-altogether": give an ID`},
		{"nonsense/", `there is no area "nonsense/": give an ID`},
		{"/", `there is no area "/": give`},
	} {
		_, err := choose.Behaviours(base, []string{"rootfs/pivot", tt.word})
		var u *choose.UnknownError
		if !errors.As(err, &u) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want %q", tt.word, err, tt.says)
		}
	}
}
