// Command noop succeeds at once. It stands in for the init containers that would write a kernel or a root
// file system for a hypervisor.
package main

func main() {}
