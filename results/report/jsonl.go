package report

import (
	"encoding/json"
	"io"
	"strings"

	"pivotspec/results/cell"
	"pivotspec/results/verdict"
)

// SchemaJSONL is the version of the lines that [JSONL] writes. Fields are only ever added; it rises when the
// meaning of one has to change.
const SchemaJSONL = 1

// The types of lines.
const (
	// LineCell: what a cell is and how far it got. Lines of its results and warnings follow.
	LineCell = "cell"
	// LineResult: the verdict on one behaviour in one cell.
	LineResult = "result"
	// LineWarning: a message of the kernel in one cell.
	LineWarning = "warning"
	// LineDifference: what of a behaviour or of a cell is not as in the baseline.
	LineDifference = "difference"
	// LineIssue: an entry of the list of known issues, and what became of it.
	LineIssue = "known-issue"
	// LineSummary: the last line.
	LineSummary = "summary"
)

// JSONLine is one line of [JSONL]. Which fields are set depends on its type. A reader skips types and fields that it does not know.
type JSONLine struct {
	// Schema is [SchemaJSONL].
	Schema int `json:"schema"`
	// Type is LineCell, LineResult, LineWarning, LineDifference, LineIssue or LineSummary.
	Type string `json:"type"`

	// Cell is the name of the cell (cell, result, warning, difference).
	Cell string `json:"cell,omitempty"`
	// Series and Arch are the kernel's (cell, result, warning, difference); Series is "" if it is not known or not Linux.
	Series string `json:"series,omitempty"`
	Arch   string `json:"arch,omitempty"`

	// ABI, Flavour, Scenario, Backend and Accel are as in the records (cell).
	ABI      string `json:"abi,omitempty"`
	Flavour  string `json:"flavour,omitempty"`
	Scenario string `json:"scenario,omitempty"`
	Backend  string `json:"backend,omitempty"`
	Accel    string `json:"accel,omitempty"`
	// Kernel is where the kernel came from, and Release what it says about itself (cell).
	Kernel  *cell.Kernel `json:"kernel,omitempty"`
	Release string       `json:"release,omitempty"`
	// Asked are the behaviours that the guest was asked for, and Unasked how many others the scenario has; there are none of
	// either if it was asked for all (cell).
	Asked   []string `json:"asked,omitempty"`
	Unasked int      `json:"unasked,omitempty"`
	// Status is complete, broken or unavailable, and Reason one line that explains the latter two (cell).
	Status cell.Status `json:"status,omitempty"`
	Reason string      `json:"reason,omitempty"`
	// Console is the end of the console of a cell that is not complete (cell).
	Console []string `json:"console,omitempty"`
	// WallMillis is how long the cell took (cell).
	WallMillis int64 `json:"wall_ms,omitempty"`

	// Behaviour is the ID, and Title says what it is (result). Of a difference it is "" if that is about the cell as a whole.
	Behaviour string `json:"behaviour,omitempty"`
	Title     string `json:"title,omitempty"`
	// Verdict is one of those of package verdict (result).
	Verdict verdict.Verdict `json:"verdict,omitempty"`
	// Outcome and Facts are what was observed; there are none if nothing was (result).
	Outcome string            `json:"outcome,omitempty"`
	Facts   map[string]string `json:"facts,omitempty"`
	// Wrong says what is not as expected, or why nothing was observed, and Expected what was expected and by whom (result).
	Wrong    []string `json:"wrong,omitempty"`
	Expected string   `json:"expected,omitempty"`
	// Claims are those of the judged edition that the observation goes against (result).
	Claims []string `json:"claims,omitempty"`
	// Micros is how long the behaviour took in the guest (result).
	Micros int64 `json:"us,omitempty"`

	// Level and Text are those of the kernel's message, and Harmless is why it is known to be no failure (warning).
	Level    *int   `json:"level,omitempty"`
	Text     string `json:"text,omitempty"`
	Harmless string `json:"harmless,omitempty"`

	// Kind is changed, added (the baseline does not have it) or removed (only the baseline has it), and Was and Is are what was recorded
	// and what is, in words (difference).
	Kind verdict.DifferenceKind `json:"kind,omitempty"`
	Was  string                 `json:"was,omitempty"`
	Is   string                 `json:"is,omitempty"`

	// Signature is that of the failure, if it is one (cell, result, warning, difference), or of the issue (known-issue).
	Signature string `json:"signature,omitempty"`
	// Issue is the ID of the known issue that the failure is, and Link where that is followed up (cell, result, warning,
	// known-issue).
	Issue string `json:"issue,omitempty"`
	Link  string `json:"link,omitempty"`

	// Why says what an issue is about, Kernels for which it is listed, Happened and Gone name the cells in which it did, and
	// those in which it could have and did not. Stale says that the list is out of date about it (known-issue).
	Why      string   `json:"why,omitempty"`
	Kernels  string   `json:"kernels,omitempty"`
	Happened []string `json:"happened,omitempty"`
	Gone     []string `json:"gone,omitempty"`
	Stale    string   `json:"stale,omitempty"`

	// Edition is that of the manual page that was judged, Exit the exit status that is due, Counts the number of results of each
	// verdict, Cells that of cells of each status, and Summary all of it in words (summary). Differences is the number of those lines;
	// it is there if the run was held against a baseline.
	Edition     string                  `json:"edition,omitempty"`
	Exit        *int                    `json:"exit,omitempty"`
	Counts      map[verdict.Verdict]int `json:"counts,omitempty"`
	Cells       map[cell.Status]int     `json:"cells,omitempty"`
	Differences *int                    `json:"differences,omitempty"`
	Summary     string                  `json:"summary,omitempty"`
}

// JSONL writes JSON lines: each is a [JSONLine], an object that can be understood without the others. Those of a cell come
// together, then the cells that only a baseline has, then the known issues if there is a list of them; the summary is last, so a file without it is cut short.
func JSONL(w io.Writer, j *verdict.Judgement, _ Options) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	f := failuresOf(j)
	statuses := map[cell.Status]int{}
	for _, c := range j.Cells {
		statuses[c.Status]++
		for _, line := range linesOfCell(j, c, f) {
			if err := e.Encode(line); err != nil {
				return err
			}
		}
	}
	for _, line := range linesOfDifferences(f.gone(j), f) {
		if err := e.Encode(line); err != nil {
			return err
		}
	}
	for _, i := range j.Issues {
		if err := e.Encode(JSONLine{
			Schema: SchemaJSONL, Type: LineIssue, Issue: i.ID, Link: i.Link, Why: i.Why, Signature: i.Signature, Kernels: i.Kernels,
			Happened: i.Happened, Gone: i.Gone, Stale: i.Stale,
		}); err != nil {
			return err
		}
	}
	exit := j.Exit()
	last := JSONLine{
		Schema: SchemaJSONL, Type: LineSummary, Edition: j.Edition.ID, Exit: &exit, Counts: j.Counts(), Cells: statuses, Summary: Find(j).Summary,
	}
	if j.Baseline != nil {
		n := len(j.Differences())
		last.Differences = &n
	}
	return e.Encode(last)
}

func linesOfCell(j *verdict.Judgement, c *verdict.CellResult, f *failures) []JSONLine {
	kernel := c.Cell.Kernel
	line := func(kind, signature string, issue *verdict.Issue) JSONLine {
		l := JSONLine{Schema: SchemaJSONL, Type: kind, Cell: c.Cell.Name, Series: c.Series.String(), Arch: c.Cell.Arch, Signature: signature}
		if issue != nil {
			l.Issue, l.Link = issue.ID, issue.Link
		}
		return l
	}
	l := line(LineCell, f.cells[c], c.Issue)
	l.ABI, l.Flavour, l.Scenario, l.Backend, l.Accel = c.Cell.ABI, c.Cell.Flavour, c.Cell.ScenarioName(), c.Cell.Backend, c.Cell.Accel
	l.Kernel, l.Release, l.Status, l.Reason, l.Console, l.WallMillis = &kernel, release(c), c.Status, c.Reason, console(c), c.Cell.WallMillis
	l.Asked, l.Unasked = c.Cell.Asked, len(c.Unasked)
	if c.Status == cell.Complete {
		l.Reason = ""
	}
	out := []JSONLine{l}
	took := micros(c)
	for _, r := range c.Results {
		l := line(LineResult, f.results[r], r.Issue)
		l.Behaviour, l.Verdict, l.Outcome, l.Facts, l.Wrong, l.Expected = r.Behaviour, r.Verdict, r.Outcome, r.Facts, r.Wrong, r.Expected
		l.Micros = took[r.Behaviour]
		if b, ok := j.Base.Behaviour(r.Behaviour); ok {
			l.Title = b.Title
		}
		for _, v := range r.Violated {
			l.Claims = append(l.Claims, v.Claim.ID)
		}
		out = append(out, l)
	}
	for i := range c.Warnings {
		w := &c.Warnings[i]
		l := line(LineWarning, f.warnings[w], w.Issue)
		l.Level, l.Text = &w.Level, strings.ToValidUTF8(w.Text, "\ufffd")
		if w.Known != nil {
			l.Harmless = w.Known.Reason
		}
		out = append(out, l)
	}
	return append(out, linesOfDifferences(c.Differences(), f)...)
}
