package report_test

import (
	"slices"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/report"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// many returns some eighty cells with nothing unexpected in them, and with differences between lines.
func many(base *knowledge.Base) []*cell.Cell {
	cells := fixture.Many(base, fixture.Good())
	replace := func(r *record.Record, names ...string) {
		for _, n := range names {
			fixture.Replace(fixture.Find(cells, n), r)
		}
	}
	// Backports made old kernels of some alike.
	replace(fixture.Observed("lookup/put-old-lazily-unmounted", "EINVAL"), "6.12-s390x", "7.2-s390x", "7.3-s390x", "6.12-armhf", "7.2-armhf", "7.3-armhf")
	replace(fixture.Observed("lookup/put-old-lazily-unmounted", "EINVAL"), "6.12-arm64-16k")
	lacks := &record.Record{Type: record.TypeObservation, ID: "eperm/landlock", Status: record.Unsupported, Why: "the kernel has no Landlock"}
	replace(lacks, "6.12-mips64el", "6.1-mips64el", "5.10-mips64el", "gvisor-amd64")
	replace(fixture.Observed("rootfs/umount-root", "EINVAL", "effect", ""), "gvisor-amd64")
	replace(fixture.Observed("rootfs/pid1-pivot", "EINVAL"), "gvisor-amd64")
	return cells
}

// manyBad returns them with what must not be overlooked.
func manyBad(base *knowledge.Base) []*cell.Cell {
	cells := many(base)
	lost := fixture.Find(cells, "6.12-ppc64el")
	lost.Status, lost.Reason, lost.Records = cell.Broken, "no sign of life for 60 s", lost.Records[:4]
	for _, n := range []string{"5.10-i386", "6.1-i386"} {
		c := fixture.Find(cells, n)
		c.Status, c.Reason, c.Records = cell.Unavailable, "the archive's package list is not to be had", nil
	}
	fixture.Replace(fixture.Find(cells, "7.2-riscv64"), fixture.Observed("ebusy/put-old-stacked", "EBUSY"))
	fixture.Replace(fixture.Find(cells, "7.2-loong64"), &record.Record{Type: record.TypeObservation, ID: "eperm/no-cap-sys-admin", Status: record.Broken, Why: "mount tmpfs: EPERM"})
	c := fixture.Find(cells, "6.12-amd64-disk")
	c.Records = slices.DeleteFunc(c.Records, func(r *record.Record) bool { return r.ID == "rootfs/switch-root" })
	fixture.Replace(fixture.Find(cells, "host-amd64"), fixture.Observed("einval/put-old-mount-shared", "OK"))
	return append(cells, &cell.Cell{Name: "7.3-s390x-disk", Status: cell.Broken, Reason: "line 3: unexpected end of JSON input"})
}

// TestClaimOverScenarios: a kernel is one however it was booted, and what one way to boot leaves open or
// shows to be false is so of the kernel.
func TestClaimOverScenarios(t *testing.T) {
	base := fixture.BaseOfDisks(t)
	for _, tt := range []struct {
		name   string
		change func(disk *cell.Cell)
		want   string
	}{
		{"as it is", func(*cell.Cell) {}, "went stale in 7.0 (true up to 6.19)"},
		{"unexpected", func(c *cell.Cell) { fixture.Replace(c, fixture.Observed("rootfs/pid1-pivot", "EBUSY")) }, "went stale in 7.0 (true up to 6.19); undecided on 6.12"},
		{"not to be had", func(c *cell.Cell) { c.Status, c.Reason, c.Records = cell.Unavailable, "gone", nil }, "went stale in 7.0 (true up to 6.19); undecided on 6.12"},
	} {
		cells := slices.DeleteFunc(fixture.Many(base, fixture.Good()), func(c *cell.Cell) bool {
			l := c.Line()
			return l != cell.Line{Arch: "amd64"} && l != cell.Line{Arch: "amd64", Scenario: "disk"}
		})
		if len(cells) != 22 {
			t.Fatalf("%d cells, want 22", len(cells))
		}
		tt.change(fixture.Find(cells, "6.12-amd64-disk"))
		for _, h := range report.Histories(judge(t, cells, ""), "") {
			if h.Claim.ID == "errors/einval-rootfs" && (h.Summary != tt.want || h.State != report.Stale) {
				t.Errorf("%s: got %s, %q, want %q", tt.name, h.State, h.Summary, tt.want)
			}
		}
	}
}
