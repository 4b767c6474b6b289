package report

import (
	"encoding/json"
	"io"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
)

// SchemaJSON is the version of the document that [JSON] writes. Fields are only ever added.
const SchemaJSON = 1

type document struct {
	Schema      int                     `json:"schema"`
	Edition     string                  `json:"edition"`
	Exit        int                     `json:"exit"`
	Summary     string                  `json:"summary"`
	Counts      map[verdict.Verdict]int `json:"counts"`
	Cells       []documentCell          `json:"cells"`
	Behaviours  []documentBehaviour     `json:"behaviours"`
	Deviations  []Deviation             `json:"deviations"`
	Changes     []Change                `json:"changes"`
	Orders      []Order                 `json:"orders"`
	Others      []Other                 `json:"others,omitempty"`
	Unexpected  []Problem               `json:"unexpected"`
	Unsupported []Problem               `json:"unsupported"`
	Unobserved  []Problem               `json:"unobserved"`
	Issues      []documentIssue         `json:"known_issues,omitempty"`
	// Baseline is there if the run was held against one.
	Baseline *documentBaseline `json:"baseline,omitempty"`
}

// documentIssue is an entry of the list of known issues, and what became of it; see [verdict.Issue].
type documentIssue struct {
	ID        string   `json:"id"`
	Link      string   `json:"link"`
	Why       string   `json:"why"`
	Signature string   `json:"signature"`
	Kernels   string   `json:"kernels"`
	Happened  []string `json:"happened"`
	Gone      []string `json:"gone"`
	Stale     string   `json:"stale,omitempty"`
}

func documentIssues(j *verdict.Judgement) []documentIssue {
	var out []documentIssue
	for _, i := range j.Issues {
		out = append(out, documentIssue{i.ID, i.Link, i.Why, i.Signature, i.Kernels, list(i.Happened), list(i.Gone), i.Stale})
	}
	return out
}

type documentCell struct {
	Name   string      `json:"name"`
	Series string      `json:"series"`
	Arch   string      `json:"arch"`
	Kernel cell.Kernel `json:"kernel"`
	Status cell.Status `json:"status"`
	Reason string      `json:"reason,omitempty"`
	// What is not said is the usual: the kernel's own ABI, the series' own flavour, the plain
	// initramfs, and Linux under QEMU.
	ABI      string `json:"abi,omitempty"`
	Flavour  string `json:"flavour,omitempty"`
	Scenario string `json:"scenario,omitempty"`
	Backend  string `json:"backend,omitempty"`
	// Asked are the behaviours that the guest was asked for, and Unasked how many others the scenario has; there are none of
	// either if it was asked for all.
	Asked   []string `json:"asked,omitempty"`
	Unasked int      `json:"unasked,omitempty"`
}

// describe says in a document what a cell is.
func describe(c *verdict.CellResult) documentCell {
	l := c.Cell.Line()
	return documentCell{
		c.Cell.Name, c.Series.String(), c.Cell.Arch, c.Cell.Kernel, c.Status, c.Reason, l.ABI, l.Flavour, l.Scenario, l.Backend,
		c.Cell.Asked, len(c.Unasked),
	}
}

type documentBehaviour struct {
	ID    string                    `json:"id"`
	Title string                    `json:"title,omitempty"`
	Cells map[string]documentResult `json:"cells"`
}

type documentResult struct {
	Verdict  verdict.Verdict   `json:"verdict"`
	Outcome  string            `json:"outcome,omitempty"`
	Facts    map[string]string `json:"facts,omitempty"`
	Wrong    []string          `json:"wrong,omitempty"`
	Expected string            `json:"expected,omitempty"`
	Violated []string          `json:"violated,omitempty"`
}

// JSON writes one document with everything that a judgement says.
func JSON(w io.Writer, j *verdict.Judgement, _ Options) error {
	f := Find(j)
	d := document{
		Schema: SchemaJSON, Edition: j.Edition.ID, Exit: j.Exit(), Summary: f.Summary, Counts: j.Counts(),
		Cells: []documentCell{}, Behaviours: []documentBehaviour{},
		Deviations: list(f.Deviations), Changes: list(f.Changes), Orders: list(f.Orders), Others: f.Others,
		Unexpected:  list(append(f.Unexpected, f.Warnings...)),
		Unsupported: list(f.Unsupported),
		Unobserved:  list(append(f.Unobserved, f.Cells...)),
	}
	for _, c := range j.Cells {
		d.Cells = append(d.Cells, describe(c))
	}
	d.Issues = documentIssues(j)
	d.Baseline = documentOf(j)
	for _, a := range f.Areas {
		for _, r := range a.Rows {
			b := documentBehaviour{ID: r.ID, Title: r.Title, Cells: map[string]documentResult{}}
			for i, res := range r.Results {
				if res == nil {
					continue
				}
				var violated []string
				for _, v := range res.Violated {
					violated = append(violated, v.Claim.ID)
				}
				b.Cells[j.Cells[i].Cell.Name] = documentResult{
					res.Verdict, res.Outcome, res.Facts, res.Wrong, res.Expected, violated,
				}
			}
			d.Behaviours = append(d.Behaviours, b)
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

// list makes an empty list of none, which programs read more easily than null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
