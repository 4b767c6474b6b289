package lab

import "slices"

// join makes one target of the packages that are parts of one kernel: where they were given
// together, none of them is a cell of its own.
func (p *Plan) join() {
	groups := p.lab.Store.Join(p.Paths())
	var out []target
	for _, t := range p.targets {
		if t.path == "" {
			out = append(out, t)
			continue
		}
		// a group stands where its first stood; the rest of it goes
		if i := slices.IndexFunc(groups, func(g []string) bool { return g[0] == t.path }); i >= 0 {
			t.parts = groups[i][1:]
			out = append(out, t)
		}
	}
	p.targets = out
}
