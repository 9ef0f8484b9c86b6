package awscli

import (
	"fmt"
	"os"
)

// SocketVariable names the variable that holds the address of the server for
// Client.
const SocketVariable = "ROLLCALL_TEST_AWS_SOCKET"

// Client is the main function of a program that replaces "aws" in scripts: the
// server runs the command with this process's own arguments, environment,
// directory, input and output.
func Client() {
	dir, err := os.Getwd()
	if err == nil {
		var code int
		c := Command{Args: os.Args[1:], Dir: dir, Env: os.Environ()}
		if code, err = ask(os.Getenv(SocketVariable), c, os.Stdin, os.Stdout, os.Stderr); err == nil {
			os.Exit(code)
		}
	}
	fmt.Fprintln(os.Stderr, "aws by way of the test's server:", err)
	os.Exit(125)
}
