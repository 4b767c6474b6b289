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

//go:embed *.yaml
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

// LoadFS loads the files areas.yaml, behaviours.yaml, claims.yaml, editions.yaml,
// ledger.yaml and warnings.yaml from the root of a file system. It returns an error of
// type [Mistakes] that names every mistake, not just the first.
func LoadFS(fsys fs.FS) (*Base, error) {
	var m Mistakes
	b := &Base{
		Editions:   decode[Edition](fsys, "editions.yaml", &m),
		Areas:      decode[Area](fsys, "areas.yaml", &m),
		Behaviours: decode[Behaviour](fsys, "behaviours.yaml", &m),
		Claims:     decode[Claim](fsys, "claims.yaml", &m),
		Ledger:     decode[Entry](fsys, "ledger.yaml", &m),
		Warnings:   decode[KnownWarning](fsys, "warnings.yaml", &m),
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

func decode[T any](fsys fs.FS, name string, m *Mistakes) []T {
	f, err := fsys.Open(name)
	if err != nil {
		m.addf("%v", err)
		return nil
	}
	defer f.Close()
	var out []T
	err = yaml.NewDecoder(f, yaml.Strict()).Decode(&out)
	if err != nil && !errors.Is(err, io.EOF) { // EOF: the file holds comments only
		m.addf("%s: %s", name, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	return out
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
}
