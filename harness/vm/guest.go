package vm

import (
	"context"
	"fmt"
	"slices"

	"pivotspec/harness/backend"
	"pivotspec/suites/record"
)

// Guest is a boot as a guest of the matrix.
type Guest struct{ Config Config }

var _ backend.Guest = (*Guest)(nil)

// Backend implements [backend.Guest].
func (g *Guest) Backend() string { return "qemu" }

// Accel implements [backend.Guest].
func (g *Guest) Accel() string {
	if g.Config.Accel == nil {
		return ""
	}
	return g.Config.Accel.Name
}

// Memory is the guest's own and what QEMU takes beside it.
func (g *Guest) Memory() int {
	need := g.Config.Memory
	if need <= 0 && g.Config.Arch != nil {
		need = g.Config.Arch.Memory
	}
	if g.Config.Accel != nil {
		need += g.Config.Accel.Overhead
	}
	return need
}

// Run is [Run] with what the console showed to be wrong among the records.
func (g *Guest) Run(ctx context.Context) (*backend.Report, error) {
	rep, err := Run(ctx, g.Config)
	if rep == nil {
		return nil, err
	}
	return &backend.Report{Records: withFindings(rep), Console: rep.Console, Wall: rep.Wall}, err
}

// withFindings adds what the console showed to be wrong to the guest's records, except what
// the guest told of itself.
func withFindings(rep *Report) []*record.Record {
	told := map[string]bool{}
	for _, r := range rep.Records {
		if r.Type == record.TypeWarning {
			told[r.Why] = true
		}
	}
	out := slices.Clone(rep.Records)
	for _, f := range rep.Findings {
		if !told[f.Text] {
			out = append(out, &record.Record{Type: record.TypeWarning, Level: 4, Why: fmt.Sprintf("%s on the console: %s", f.Kind, f.Text)})
		}
	}
	return out
}
