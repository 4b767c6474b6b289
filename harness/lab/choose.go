package lab

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pivotspec/kernels"
)

// AllArchs as an architecture means every one of the catalogue, and every ABI that the default
// matrix has of it.
const AllArchs = "all"

// pick is an architecture and an ABI to run kernels with. arch "" is the catalogue's own; abi ""
// is the kernel's own, and [AllArchs] is that and those of the default matrix.
type pick struct{ arch, abi string }

// check says what no part of the wish can mean: a name that is empty, as that of a variable which
// is not set, and an architecture or a way to boot of what is not booted.
func (l *Lab) check(w Wish) error {
	for _, n := range w.Archs {
		if n == "" {
			return errors.New("an architecture is empty: give its name, or all")
		}
	}
	for _, n := range w.Scenarios {
		if n == "" {
			return errors.New("a scenario is empty: give its name, or all (`pivotspec scenarios` lists them)")
		}
	}
	booted := len(w.Kernels) == 0
	for _, ref := range w.Kernels {
		name, rest, cut := strings.Cut(ref, "/")
		if cut && l.isBackend(name) && !l.Catalogue.IsPath(ref) {
			return fmt.Errorf("%s: %s runs on this machine only, and %s cannot be chosen for it: give %[2]s alone", ref, name, rest)
		}
		booted = booted || !l.isBackend(ref)
	}
	switch names := strings.Join(w.Kernels, " or "); {
	case booted:
		return nil
	case len(w.Scenarios) > 0:
		return fmt.Errorf("a scenario is a way to boot, and %s is not booted: leave the scenario out, or name a kernel that is", names)
	case len(w.Archs) > 0:
		return fmt.Errorf("an architecture is for kernels that are booted, and %s is not: leave it out, or name a kernel that is", names)
	}
	return nil
}

// picks returns what the user's --arch says.
func (l *Lab) picks(archs []string) ([]pick, error) {
	if len(archs) == 0 {
		return []pick{{}}, nil
	}
	var out []pick
	for _, text := range archs {
		if text == AllArchs {
			for _, a := range l.Catalogue.Archs() {
				out = append(out, pick{a, AllArchs})
			}
			continue
		}
		a, abi, _ := strings.Cut(text, "/")
		if err := l.checkABI(a, abi); err != nil {
			return nil, err
		}
		out = append(out, pick{a, abi})
	}
	return out, nil
}

// checkABI says that an architecture is unknown, or does not run an ABI. Either may be "".
func (l *Lab) checkABI(arch, abi string) error {
	if arch == "" && abi == "" {
		return nil
	}
	a, err := l.Table.Arch(arch)
	if err != nil {
		return fmt.Errorf("%w, %s", err, AllArchs)
	}
	_, err = a.ABI(abi)
	return err
}

// choose adds the kernels of the catalogue that the wish names.
func (p *Plan) choose() error {
	picks, err := p.lab.picks(p.wish.Archs)
	if err != nil {
		return err
	}
	if len(p.wish.Kernels) == 0 {
		return p.addDefaults(picks)
	}
	for _, ref := range p.wish.Kernels {
		if p.lab.isBackend(ref) || p.lab.Catalogue.IsPath(ref) {
			continue
		}
		if err := p.addNamed(ref, picks); err != nil {
			return err
		}
	}
	return nil
}

// addDefaults adds the default matrices.
func (p *Plan) addDefaults(picks []pick) error {
	for _, k := range picks {
		before := len(p.targets)
		for _, e := range p.lab.matrix(k) {
			for _, abi := range k.abis(e) {
				p.addEntry(e, abi)
			}
		}
		if len(p.targets) == before && k.abi != AllArchs {
			name := k.arch
			if k.abi != "" {
				name += "/" + k.abi
			}
			return fmt.Errorf("architecture %s has no default matrix: name the kernels to run", name)
		}
	}
	return nil
}

// matrix returns the kernels to run where none is named.
func (l *Lab) matrix(k pick) []kernels.Entry {
	if k.abi != AllArchs {
		return l.Catalogue.Default(k.arch)
	}
	var out []kernels.Entry
	for _, e := range l.Catalogue.All() {
		if e.Arch == k.arch && e.All {
			out = append(out, e)
		}
	}
	return out
}

// abis returns the ABIs with which an entry of the default matrix is run.
func (k pick) abis(e kernels.Entry) []string {
	switch {
	case k.abi == AllArchs:
		return append([]string{e.Arch}, e.ABIs...)
	case k.abi == "" || k.abi == e.Arch || slices.Contains(e.ABIs, k.abi):
		return []string{k.abi}
	}
	return nil
}

// addNamed adds the kernel called ref, once for each pick unless ref has an architecture itself.
// Of all architectures those count that have it.
func (p *Plan) addNamed(ref string, picks []pick) error {
	if parts := strings.Split(ref, "/"); len(parts) > 1 {
		if slices.Contains(parts, "") {
			return fmt.Errorf("kernel %q: a part of the name is empty; want KERNEL, KERNEL/ARCH or KERNEL/ARCH/ABI", ref)
		}
		abi := ""
		if len(parts) == 3 {
			abi = parts[2]
			ref = parts[0] + "/" + parts[1]
		}
		e, err := p.lab.Catalogue.Lookup(ref, "")
		if err != nil {
			return err
		}
		if err := p.lab.checkABI(e.Arch, abi); err != nil {
			return err
		}
		p.addEntry(e, abi)
		return nil
	}
	var missing error
	found := false
	for _, k := range picks {
		e, err := p.lab.Catalogue.Lookup(ref, k.arch)
		switch {
		case err != nil && k.abi == AllArchs:
			missing = err
			continue
		case err != nil:
			return err
		}
		found = true
		if k.abi == AllArchs {
			for _, abi := range k.abis(e) {
				p.addEntry(e, abi)
			}
			continue
		}
		p.addEntry(e, k.abi)
	}
	if !found {
		return missing
	}
	return nil
}

// withoutQEMU gives jobs whose QEMU is not here, or too old, that as their error.
func (p *Plan) withoutQEMU() {
	for i := range p.jobs {
		j := &p.jobs[i]
		a, err := p.lab.Table.Arch(j.Arch)
		if err != nil || j.Err != nil || p.boots[i].target.backend != nil {
			continue
		}
		if _, err := a.FindQEMU(); err != nil {
			j.Err = err
		}
	}
}
