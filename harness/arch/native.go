package arch

import (
	"fmt"
	"runtime"
)

// Native returns the row of the architecture that this program was built for.
func (t *Table) Native() (*Arch, error) {
	for _, name := range t.Names() {
		a, err := t.Arch(name)
		if err != nil {
			return nil, err
		}
		if a.Native(runtime.GOARCH) {
			return a, nil
		}
	}
	return nil, fmt.Errorf("this machine's architecture (%s for Go) is none that pivotspec knows", runtime.GOARCH)
}
