package verdict_test

import (
	"maps"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/internal/fixture"
	"pivotspec/results/verdict"
	"pivotspec/suites/faults"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/record"
)

// TestPairs: one pair, one fault or one row that is not as the order says is unexpected, and one
// line says which.
func TestPairs(t *testing.T) {
	base, err := knowledge.Load()
	if err != nil {
		t.Fatal(err)
	}
	set := func(fault, row string) func(*record.Record) {
		return func(r *record.Record) { r.Facts[fault] = row }
	}
	swap := func(fault, old, new string) func(*record.Record) {
		return func(r *record.Record) {
			if !strings.Contains(r.Facts[fault], old) {
				t.Fatalf("the row of %s has no %q: %s", fault, old, r.Facts[fault])
			}
			r.Facts[fault] = strings.Replace(r.Facts[fault], old, new, 1)
		}
	}
	for _, tt := range []struct {
		name, series string
		change       func(*record.Record)
		rootfs       string
		want         verdict.Verdict
		wrong        string // the line, or a part of it
	}{
		{"as the order says", "6.12", func(*record.Record) {}, "rootfs", verdict.Silent, ""},
		{"another winner", "6.12", swap("old-loop", "ELOOP=landlock,", "EPERM=landlock ELOOP="), "rootfs", verdict.Unexpected,
			"old-loop with landlock gives EPERM, not ELOOP (orders.yaml 6.12 to 6.19)"},
		{"the errno of neither", "7.0", swap("new-removed", "ENOENT=new-on-root,", "EIO=new-on-root ENOENT="), "rootfs", verdict.Unexpected,
			"new-removed with new-on-root gives EIO, not ENOENT (orders.yaml since 7.0)"},
		{"success", "7.0", swap("new-removed", "ENOENT=new-on-root,", "OK=new-on-root ENOENT="), "rootfs", verdict.Unexpected,
			"new-removed with new-on-root gives OK, not ENOENT"},
		{"a fault alone", "7.0", swap("new-removed", "ENOENT ", "EINVAL "), "rootfs", verdict.Unexpected,
			"new-removed alone gives EINVAL, not ENOENT"},
		{"a pair left out", "7.0", swap("new-removed", "ENOENT=new-on-root,", "ENOENT="), "rootfs", verdict.Unexpected,
			"new-removed with new-on-root gives nothing, not ENOENT"},
		{"an unknown pair", "7.0", swap("new-removed", "ENOENT=", "ENOENT=what,"), "rootfs", verdict.Unexpected,
			"reported with 1 faults that there are not"},
		{"no row", "7.0", set("new-removed", ""), "rootfs", verdict.Unexpected, "new-removed alone gives nothing"},
		{"an unreadable row", "7.0", set("new-removed", "ENOENT what"), "rootfs", verdict.Unexpected, "is not of the form"},
		{"another spelling", "7.0", swap("new-removed", "new-on-root,old-on-root", "old-on-root,new-on-root"), "rootfs", verdict.Unexpected,
			"not as it has to be written"},
		{"a fault that there is not", "7.0", set("root-no-parent", "EINVAL"), "rootfs", verdict.Unexpected,
			"root-no-parent alone gives EINVAL, not absent"},
		{"absent without a reason", "7.0", set("new-outside", faults.Absent), "rootfs", verdict.Unexpected, "new-outside alone gives absent"},
		{"the initramfs is there", "6.12", without("root-no-parent"), "rootfs", verdict.Unexpected, "root-no-parent alone gives absent, not EINVAL"},
		{"another root", "6.12", without("root-no-parent"), "ext4", verdict.Silent, ""},
		{"no Landlock", "6.12", without("landlock"), "rootfs", verdict.Silent, ""},
		{"two rows missing", "6.12", func(r *record.Record) { delete(r.Facts, "no-cap"); delete(r.Facts, "new-loop") }, "rootfs", verdict.Unexpected,
			"of 2 faults nothing is reported"},
		{"all at once", "6.12", func(r *record.Record) { r.Outcome = "EFAULT" }, "rootfs", verdict.Unexpected, "outcome is EFAULT, not EPERM (orders.yaml"},
		{"something moved", "6.12", set("moved", "root moved to elsewhere"), "rootfs", verdict.Unexpected, "fact moved=root moved to elsewhere is not known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c *cell.Cell
			for _, x := range fixture.Ideal(base) {
				if x.Series == tt.series {
					c = x
				}
			}
			var alone []*record.Record
			for _, r := range c.Records {
				switch {
				case r.Type == record.TypeKernel:
					k := *r.Kernel
					k.RootFS = tt.rootfs
					alone = append(alone, &record.Record{Type: record.TypeKernel, Kernel: &k})
				case r.Type == record.TypePlan || r.Type == record.TypeEnd:
					alone = append(alone, r)
				case r.ID == faults.Behaviour:
					r.Facts = maps.Clone(r.Facts)
					tt.change(r)
					alone = append(alone, r)
				}
			}
			c.Records = alone
			j, err := verdict.Judge(base, []*cell.Cell{c}, "")
			if err != nil {
				t.Fatal(err)
			}
			r := j.Cells[0].Result(faults.Behaviour)
			got := strings.Join(r.Wrong, "\n")
			if r.Verdict != tt.want || !strings.Contains(got, tt.wrong) || tt.wrong == "" && got != "" {
				t.Errorf("%s: %q, want %s: %q", r.Verdict, got, tt.want, tt.wrong)
			}
			if tt.wrong != "" && len(r.Wrong) != 1 {
				t.Errorf("%d lines, want one:\n%s", len(r.Wrong), got)
			}
			if j.Exit() != verdict.ExitUnexpected && tt.want == verdict.Unexpected {
				t.Errorf("exit status %d", j.Exit())
			}
		})
	}
}

// without makes a record of a kernel without the fault.
func without(fault string) func(*record.Record) {
	return func(r *record.Record) {
		w := faults.Winners{}
		for _, f := range faults.Table() {
			if err := faults.ParseRow(w, f.ID, r.Facts[f.ID]); err != nil {
				panic(err)
			}
		}
		maps.DeleteFunc(w, func(key [2]string, _ string) bool { return key[0] == fault || key[1] == fault })
		w[[2]string{fault, ""}] = faults.Absent
		maps.Copy(r.Facts, faults.Rows(w))
	}
}
