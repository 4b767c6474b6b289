package worlds_test

import (
	"fmt"
	"strings"
	"testing"

	"pivotspec/results/cell"
	"pivotspec/results/worlds"
	"pivotspec/suites/enumerate"
	"pivotspec/suites/exhaust"
	"pivotspec/suites/knowledge"
	"pivotspec/suites/model"
	"pivotspec/suites/record"
)

var request = enumerate.Request{Bounds: enumerate.Bounds{Size: 1, Mounts: 2}}

// honest is a cell as a kernel of 7.0 that agrees with the model makes it.
func honest() *cell.Cell {
	c := &cell.Cell{Name: "7.0-amd64", Series: "7.0", Arch: "amd64", Status: cell.Complete, Records: []*record.Record{
		{Schema: record.Schema, Type: record.TypePlan},
		{Type: record.TypeKernel, Kernel: &record.Kernel{Release: "7.0.13"}},
	}}
	era := model.EraOf(model.Series{7, 0})
	row, digest, i := &record.Worlds{}, uint64(0), 0
	flush := func() {
		row.Digest = fmt.Sprintf("%016x", digest)
		c.Records = append(c.Records, &record.Record{Type: record.TypeWorlds, Micros: 100_000, Worlds: row})
		row, digest = &record.Worlds{First: i}, 0
	}
	request.Each(func(w *model.World) bool {
		row.Outcomes += string(exhaust.Letter(model.PivotRoot(era, w).Errno))
		digest = enumerate.Digest(digest, w)
		if i++; i%100 == 0 {
			flush()
		}
		return true
	})
	flush()
	c.Records = append(c.Records, &record.Record{Type: record.TypeEnd})
	return c
}

func TestJudge(t *testing.T) {
	n := request.Count()
	row := func(c *cell.Cell, i int) *record.Worlds { return c.Records[2+i].Worlds }
	replace := func(r *record.Worlds, at int, letter string) {
		r.Outcomes = r.Outcomes[:at] + letter + r.Outcomes[at+1:]
	}
	for _, c := range []struct {
		name      string
		change    func(*cell.Cell)
		agreed    int
		disagreed int
		problem   string // "" for none
	}{
		{name: "honest", change: func(*cell.Cell) {}, agreed: n},
		{name: "row lost", change: func(c *cell.Cell) { c.Records = append(c.Records[:3:3], c.Records[4:]...) }, agreed: n - 100, problem: "100 of"},
		{name: "last row lost", change: func(c *cell.Cell) { c.Records = c.Records[:len(c.Records)-2] }, agreed: n - n%100, problem: "were not compared"},
		{name: "no kernel", change: func(c *cell.Cell) { c.Records = append(c.Records[:1:1], c.Records[2:]...) }, problem: "were not compared"},
		{name: "other worlds", change: func(c *cell.Cell) { row(c, 1).Digest = "0" }, agreed: n - 100, problem: "others than were asked for"},
		{name: "rows exchanged", change: func(c *cell.Cell) { row(c, 0).First, row(c, 1).First = 100, 0 }, agreed: n - 200, problem: "others than were asked for"},
		{name: "row twice", change: func(c *cell.Cell) { c.Records = append(c.Records, c.Records[3]) }, agreed: n},
		{name: "nothing seen of one", change: func(c *cell.Cell) { replace(row(c, 0), 5, "#") }, agreed: n - 1, problem: "1 of"},
		{name: "wrong letter", change: func(c *cell.Cell) { replace(row(c, 0), 0, "f") }, agreed: n - 1, problem: "another model"},
		{name: "broken cell", change: func(c *cell.Cell) { c.Status, c.Reason = cell.Broken, "it died" }, agreed: n, problem: "it died"},
		{name: "disagreement", change: func(c *cell.Cell) {
			replace(row(c, 0), 0, "!")
			c.Records = append(c.Records, &record.Record{Type: record.TypeWorld, Status: record.Observed, ID: "w"})
		}, agreed: n - 1, disagreed: 1},
		{name: "disagreement untold", change: func(c *cell.Cell) { replace(row(c, 0), 0, "!") }, agreed: n - 1, disagreed: 1, problem: "told of none"},
		{name: "hung world", change: func(c *cell.Cell) {
			c.Records = append(c.Records, &record.Record{Type: record.TypeWorld, Status: record.Broken, ID: "w", Why: "hung"})
		}, agreed: n, problem: "hung"},
		{name: "row too long", change: func(c *cell.Cell) {
			last := c.Records[len(c.Records)-2].Worlds
			last.Outcomes += "o"
		}, agreed: n - n%100, problem: "were not compared"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := honest()
			c.change(cl)
			r := worlds.Judge(request, []*cell.Cell{cl}, nil)[0]
			if r.Planned != n || r.Agreed != c.agreed || r.Disagreed != c.disagreed {
				t.Errorf("%d planned, %d agreed, %d disagreed; want %d, %d, %d", r.Planned, r.Agreed, r.Disagreed, n, c.agreed, c.disagreed)
			}
			if text := strings.Join(r.Problems, "\n"); (c.problem == "") != (text == "") || !strings.Contains(text, c.problem) {
				t.Errorf("problems %q, want %q", text, c.problem)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	cl := honest()
	cl.Records = append(cl.Records, &record.Record{Type: record.TypeWarning, Why: "something odd"})
	if r := worlds.Judge(request, []*cell.Cell{cl}, []knowledge.KnownWarning{})[0]; len(r.Warnings) != 1 {
		t.Errorf("warnings %q", r.Warnings)
	}
}
