package bustest

import (
	"os/exec"
	"syscall"
)

// bind makes the kernel kill the process when the thread that starts it ends: a test that panics or is killed runs no clean-up.
func bind(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
