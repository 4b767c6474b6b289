package spec

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
)

// Source returns where the code that observes the behaviour begins, as a path in the source tree and
// a line: "suites/invalid/invalid.go:17". It is "" if the program does not say.
func (s *Spec) Source() string {
	f := runtime.FuncForPC(reflect.ValueOf(s.Body).Pointer())
	if f == nil {
		return ""
	}
	file, line := f.FileLine(f.Entry())
	at := strings.LastIndex(file, "suites/")
	if at < 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d", file[at:], line)
}
