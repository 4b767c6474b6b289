package knowledge

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed *.yaml */*.yaml
var data embed.FS

// Load returns the knowledge built into this program. Its error lists every mistake in
// the data at once, as [LoadFS] does.
func Load() (*Base, error) { return LoadFS(data) }

// Mistakes are all the mistakes found in the data files.
type Mistakes []string

func (m Mistakes) Error() string {
	return fmt.Sprintf("knowledge: %d mistakes in the data files:\n  %s", len(m), strings.Join(m, "\n  "))
}

func (m *Mistakes) addf(format string, args ...any) {
	*m = append(*m, fmt.Sprintf(format, args...))
}

// LoadFS loads areas, behaviours, claims, editions, ledger, orders and warnings from a file
// system, and, as far as there are any, proposals, implementations, audiences, notices and the statements of editions. Each
// is a file such as claims.yaml, the files of a folder such as claims in the order of their
// names, or both. It returns an error of type [Mistakes] that names every mistake, not just
// the first.
func LoadFS(fsys fs.FS) (*Base, error) {
	var m Mistakes
	b := &Base{
		Editions:   decode[Edition](fsys, "editions", &m),
		Areas:      decode[Area](fsys, "areas", &m),
		Behaviours: decode[Behaviour](fsys, "behaviours", &m),
		Claims:     decode[Claim](fsys, "claims", &m),
		Ledger:     decode[Entry](fsys, "ledger", &m),
		Orders:     decodeOrders(fsys, &m),
		Warnings:   decode[KnownWarning](fsys, "warnings", &m),
		Proposals:  decodeAny[Proposal](fsys, "proposals", &m),
		Statements: decodeAny[Statements](fsys, "statements", &m),
		Audiences:  decodeAny[Audience](fsys, "audiences", &m),
		Notices:    decodeAny[Notice](fsys, "notices", &m),

		Implementations: decodeAny[Implementation](fsys, "implementations", &m),
	}
	if len(m) > 0 {
		// Checks across files would only repeat what is wrong in the unreadable one.
		return nil, m
	}
	b.order()
	b.index()
	b.check(&m)
	if len(m) > 0 {
		return nil, m
	}
	return b, nil
}

func decode[T any](fsys fs.FS, kind string, m *Mistakes) []T {
	files := dataFiles(fsys, kind)
	if len(files) == 0 {
		files = []string{kind + ".yaml"} // which is missed
	}
	return decodeFiles[T](fsys, files, m)
}

// decodeAny decodes what there is of a kind that may be left out.
func decodeAny[T any](fsys fs.FS, kind string, m *Mistakes) []T {
	return decodeFiles[T](fsys, dataFiles(fsys, kind), m)
}

// dataFiles returns the files that hold a kind of data, the single one first.
func dataFiles(fsys fs.FS, kind string) []string {
	// A pattern without a mistake in it has no error.
	files, _ := fs.Glob(fsys, kind+"/*.yaml")
	if _, err := fs.Stat(fsys, kind+".yaml"); err == nil {
		files = append([]string{kind + ".yaml"}, files...)
	}
	return files
}

func decodeFiles[T any](fsys fs.FS, files []string, m *Mistakes) []T {
	var all []T
	for _, name := range files {
		f, err := fsys.Open(name)
		if err != nil {
			m.addf("%v", err)
			continue
		}
		var out []T
		err = yaml.NewDecoder(f, yaml.Strict()).Decode(&out)
		f.Close()
		if err != nil && !errors.Is(err, io.EOF) { // EOF: the file holds comments only
			m.addf("%s: %s", name, strings.TrimSpace(yaml.FormatError(err, false, true)))
		}
		all = append(all, out...)
	}
	return all
}

// order sorts the behaviours by area, keeping the file's order within one.
func (b *Base) order() {
	rank := make(map[string]int, len(b.Areas))
	for i, a := range b.Areas {
		rank[a.ID] = i
	}
	slices.SortStableFunc(b.Behaviours, func(x, y Behaviour) int { return rank[x.Area()] - rank[y.Area()] })
}

func (b *Base) index() {
	b.behaviours = make(map[string]int, len(b.Behaviours))
	b.claims = make(map[string]int, len(b.Claims))
	b.editions = make(map[string]int, len(b.Editions))
	b.demands = map[string][]Demanded{}
	b.ledger = map[string][]int{}
	for i := range b.Behaviours {
		b.behaviours[b.Behaviours[i].ID] = i
	}
	for i := range b.Editions {
		b.editions[b.Editions[i].ID] = i
	}
	for i := range b.Claims {
		c := &b.Claims[i]
		b.claims[c.ID] = i
		for j := range c.Demands {
			d := &c.Demands[j]
			b.demands[d.Behaviour] = append(b.demands[d.Behaviour], Demanded{c, d})
		}
	}
	for i := range b.Ledger {
		id := b.Ledger[i].Behaviour
		b.ledger[id] = append(b.ledger[id], i)
	}
	for i := range b.Implementations {
		for k := range b.Implementations[i].Ledger {
			b.Implementations[i].Ledger[k].of = b.Implementations[i].Title
		}
	}
}
