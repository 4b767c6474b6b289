package show

import (
	"encoding/json"
	"io"

	"pivotspec/results/cell"
	"pivotspec/results/change"
	"pivotspec/results/report"
	"pivotspec/results/verdict"
	"pivotspec/suites/knowledge"
)

// SchemaJSON is the version of the document that [JSON] writes. Fields are only ever added.
const SchemaJSON = 1

type document struct {
	Schema  int                 `json:"schema"`
	Exit    int                 `json:"exit"`
	Summary string              `json:"summary"`
	Stops   int                 `json:"stops"`
	Counts  map[change.Kind]int `json:"counts"`
	Pairs   []documentPair      `json:"pairs"`
	OnlyOld []documentCell      `json:"only_old"`
	OnlyNew []documentCell      `json:"only_new"`
}

type documentPair struct {
	Old     documentCell     `json:"old"`
	New     documentCell     `json:"new"`
	Alike   int              `json:"alike"`
	Neither int              `json:"neither"`
	Unasked int              `json:"unasked,omitempty"`
	Changes []documentChange `json:"changes"`
	Gaps    []documentGap    `json:"gaps"`
}

type documentCell struct {
	Name     string      `json:"name"`
	Series   string      `json:"series"`
	Arch     string      `json:"arch"`
	ABI      string      `json:"abi,omitempty"`
	Flavour  string      `json:"flavour,omitempty"`
	Scenario string      `json:"scenario,omitempty"`
	Backend  string      `json:"backend,omitempty"`
	Kernel   cell.Kernel `json:"kernel"`
	Status   cell.Status `json:"status"`
	Reason   string      `json:"reason,omitempty"`
}

type documentChange struct {
	Behaviour  string            `json:"behaviour,omitempty"`
	Title      string            `json:"title"`
	Kind       change.Kind       `json:"kind"`
	Stops      bool              `json:"stops"`
	Old        string            `json:"old"`
	New        string            `json:"new"`
	Facts      []documentFact    `json:"facts,omitempty"`
	Says       string            `json:"says"`
	Why        string            `json:"why,omitempty"`
	Unexpected []string          `json:"unexpected,omitempty"`
	Grade      knowledge.Grade   `json:"grade"`
	Noticed    []documentNoticed `json:"noticed"`
}

type documentFact struct {
	Name    string `json:"name"`
	Meaning string `json:"meaning,omitempty"`
	Old     string `json:"old"`
	New     string `json:"new"`
	Stops   bool   `json:"stops,omitempty"`
}

type documentNoticed struct {
	Audience string          `json:"audience"`
	Title    string          `json:"title"`
	Grade    knowledge.Grade `json:"grade"`
}

type documentGap struct {
	Behaviour string        `json:"behaviour,omitempty"`
	Title     string        `json:"title"`
	Reason    change.Reason `json:"reason"`
	Old       string        `json:"old"`
	New       string        `json:"new"`
	Open      bool          `json:"open"`
}

// JSON writes one document with everything that the comparison says.
func JSON(w io.Writer, c *change.Comparison, _ report.Options) error {
	n := count(c)
	d := document{
		Schema: SchemaJSON, Exit: c.Exit(), Summary: summary(c), Stops: n.stops, Counts: n.kinds,
		Pairs: []documentPair{}, OnlyOld: cellsOf(c.OnlyOld), OnlyNew: cellsOf(c.OnlyNew),
	}
	for _, p := range c.Pairs {
		d.Pairs = append(d.Pairs, pairOf(p))
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

func pairOf(p *change.Pair) documentPair {
	out := documentPair{
		Old: cellOf(p.Old), New: cellOf(p.New), Alike: p.Alike, Neither: p.Neither, Unasked: p.Unasked,
		Changes: []documentChange{}, Gaps: []documentGap{},
	}
	for i := range p.Changes {
		x := &p.Changes[i]
		to := documentChange{
			Behaviour: x.Behaviour, Title: x.Title, Kind: x.Kind, Stops: x.Stops, Old: x.Old, New: x.New,
			Says: x.Says, Why: x.Why, Unexpected: x.Unexpected, Grade: x.Grade(), Noticed: []documentNoticed{},
		}
		for _, f := range x.Facts {
			to.Facts = append(to.Facts, documentFact(f))
		}
		for _, v := range x.Noticed {
			to.Noticed = append(to.Noticed, documentNoticed{v.Audience.ID, v.Audience.Title, v.Grade})
		}
		out.Changes = append(out.Changes, to)
	}
	for _, g := range p.Gaps {
		out.Gaps = append(out.Gaps, documentGap(g))
	}
	return out
}

func cellOf(c *verdict.CellResult) documentCell {
	l := c.Cell.Line()
	return documentCell{
		c.Cell.Name, c.Series.String(), c.Cell.Arch, l.ABI, l.Flavour, l.Scenario, l.Backend, c.Cell.Kernel, c.Status, c.Reason,
	}
}

func cellsOf(list []*verdict.CellResult) []documentCell {
	out := []documentCell{}
	for _, c := range list {
		out = append(out, cellOf(c))
	}
	return out
}
