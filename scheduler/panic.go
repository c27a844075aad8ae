package scheduler

import (
	"fmt"
	"runtime/debug"
)

// guard calls do and turns a panic into an error that ends with the stack: a
// bug costs one measurement or one campaign, never the daemon or its servers.
func guard(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v\n%s", value, debug.Stack())
		}
	}()
	return do()
}
