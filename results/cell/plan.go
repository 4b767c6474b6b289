package cell

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pivotspec/suites/record"
)

// PlanFile is the name of the file in which a run says which cells it means to fill in.
const PlanFile = "plan.json"

const typeRun record.Type = "run"

// Plan says which cells a run is about to fill in, so that [ReadDir] misses those that it does not
// get to, even if the run is killed.
type Plan struct {
	// Cells are those of the run.
	Cells []PlannedCell
	// Tool is the revision of the pivotspec that runs, "" if it does not know.
	Tool string
	// Wish is what the user asked for.
	Wish Wish
	// Shard, if not nil, says of which larger plan this is a part.
	Shard *Shard
}

// PlannedCell is what is known of a cell before it runs: what names it, and its line.
type PlannedCell struct {
	Name     string `json:"name"`
	Series   string `json:"series"`
	Arch     string `json:"arch"`
	ABI      string `json:"abi,omitempty"`
	Flavour  string `json:"flavour,omitempty"`
	Scenario string `json:"scenario,omitempty"`
	Backend  string `json:"backend,omitempty"`
	// Asked are those of [Cell.Asked] with commas between them, so that planned cells can be compared; "" is all.
	Asked string `json:"asked,omitempty"`
	// SHA256 is the hash of a kernel that was given as a file or folder; that of a kernel of the
	// catalogue is not known before it is fetched.
	SHA256 string `json:"sha256,omitempty"`
	// Lost, if not "", is one line that says why there is no record of the cell.
	Lost string `json:"lost,omitempty"`
}

// Wish is what a user asked to be run, in the words of the command line, from which the same can be
// asked for again. Paths are absolute.
type Wish struct {
	Kernels   []string `json:"kernels,omitempty"`
	Archs     []string `json:"archs,omitempty"`
	Scenarios []string `json:"scenarios,omitempty"`
	// Behaviours are IDs, or areas with a slash behind them; none is all.
	Behaviours []string `json:"behaviours,omitempty"`
	Accel      string   `json:"accel,omitempty"`
	Guest      string   `json:"guest,omitempty"`
	// Evidence is set if the mount tables around the calls are to be recorded.
	Evidence bool `json:"evidence,omitempty"`
}

// Shard is one part of a run that several machines share.
type Shard struct {
	// Index is its number, from 1 to Of.
	Index int `json:"index"`
	Of    int `json:"of"`
	// Digest stands for the whole plan: shards with the same are of one run.
	Digest string `json:"digest"`
	// Whole are the cells of all shards, in the order of an unsharded run.
	Whole []PlannedCell `json:"whole"`
}

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// Digest stands for a list of planned cells, as a SHA-256 in hexadecimal.
func Digest(cells []PlannedCell) string {
	b, err := json.Marshal(cells)
	if err != nil {
		panic(err) // it has nothing but strings
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// PlanOf is what is known of cells before they run.
func PlanOf(cells []*Cell) []PlannedCell {
	out := []PlannedCell{}
	for _, c := range cells {
		l := c.Line()
		p := PlannedCell{Name: c.Name, Series: c.Series, Arch: l.Arch, ABI: l.ABI, Flavour: l.Flavour, Scenario: l.Scenario, Backend: l.Backend, Asked: strings.Join(c.Asked, ",")}
		if c.Kernel.Package == "" {
			p.SHA256 = c.Kernel.SHA256
		}
		out = append(out, p)
	}
	return out
}

// planJSON is the content of the file.
type planJSON struct {
	Schema int           `json:"schema"`
	Type   record.Type   `json:"type"`
	Tool   string        `json:"tool,omitempty"`
	Wish   Wish          `json:"wish,omitzero"`
	Shard  *Shard        `json:"shard,omitempty"`
	Cells  []PlannedCell `json:"cells"`
}

// WritePlan stores the plan of a run in its folder. Its error is a *[WriteError].
func WritePlan(dir string, p *Plan) error {
	j := planJSON{Schema, typeRun, p.Tool, p.Wish, p.Shard, append([]PlannedCell{}, p.Cells...)}
	if err := write(filepath.Join(dir, PlanFile), func(w io.Writer) error { return json.NewEncoder(w).Encode(j) }); err != nil {
		return &WriteError{Dir: dir, Err: err}
	}
	return nil
}

// ReadPlan reads the plan of the run that filled a folder. A folder put together by hand, or a
// baseline, has none: then the error is an [fs.ErrNotExist].
func ReadPlan(dir string) (*Plan, error) {
	path := filepath.Join(dir, PlanFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var j planJSON
	if err == nil {
		err = json.Unmarshal(b, &j)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("cell: read the plan of the run: %s: %w", path, err)
	case j.Schema > Schema:
		return nil, fmt.Errorf("cell: %s: %w", path, &SchemaError{"plan", j.Schema, Schema})
	}
	p := &Plan{j.Cells, j.Tool, j.Wish, j.Shard}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("cell: read the plan of the run: %s: %w", path, err)
	}
	return p, nil
}

// check says what a plan that pivotspec wrote cannot have.
func (p *Plan) check() error {
	seen := map[string]bool{}
	for _, c := range p.Cells {
		if c.Name == "" || seen[c.Name] {
			return fmt.Errorf("the cell %q is planned twice, or has no name", c.Name)
		}
		seen[c.Name] = true
	}
	s := p.Shard
	if s == nil {
		return nil
	}
	if s.Index < 1 || s.Of < s.Index {
		return fmt.Errorf("there is no shard %v", s)
	}
	if s.Digest != Digest(s.Whole) {
		return errors.New("the whole plan is not the one that its digest is of")
	}
	for _, c := range p.Cells {
		if !slices.Contains(s.Whole, c) {
			return fmt.Errorf("the cell %s is not in the plan of which this is shard %v", c.Name, s)
		}
	}
	return nil
}

// Planned says whether the folder has the plan of a run. Then [ReadDir] returns every cell that was
// to be run; without one, a cell that is not there may have been taken away.
func Planned(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, PlanFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cell: look for the plan of the run: %w", err)
	}
	return true, nil
}

// asked is Asked as cells have it.
func (p PlannedCell) asked() []string {
	if p.Asked == "" {
		return nil
	}
	return ordered(strings.Split(p.Asked, ","))
}

// Covers reports whether the guest is to be asked for all that the other's is, both of the same scenario.
func (p PlannedCell) Covers(o PlannedCell) bool { return covers(p.asked(), o.asked()) }

// Cell is the broken cell that stands for a planned one of which there is no record.
func (p PlannedCell) Cell() *Cell {
	c := &Cell{
		Name: p.Name, Series: p.Series, Arch: p.Arch, ABI: p.ABI, Flavour: p.Flavour, Scenario: p.Scenario, Backend: p.Backend,
		Asked:  p.asked(),
		Status: Broken, Reason: "planned, and nothing was recorded: the run ended before it",
	}
	if p.Lost != "" {
		c.Reason = p.Lost
	}
	return c
}

// lost returns a broken cell for each cell of the plan that has no file.
func lost(p *Plan, have []*Cell) []*Cell {
	if p == nil {
		return nil
	}
	var out []*Cell
	for _, c := range p.Cells {
		if !slices.ContainsFunc(have, func(h *Cell) bool { return h.Name == c.Name }) {
			out = append(out, c.Cell())
		}
	}
	return out
}
