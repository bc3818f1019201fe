// Package bench holds the load and fault runs of the binary: `magpie bench` measures how fast and how small a server is,
// `magpie torture` kills servers under load and counts what was lost.
//
// A run starts servers of its own as child processes, on a throwaway store, and talks to them through their doors with
// the public client; what it prepares or checks behind a server's back goes through chat.Raw. All figures that are
// set in relation to each other (end to end to raw commits, latency to fsync) come from one run on one disk.
//
// The package prints only to the writers that it is given, and knows nothing of flags.
package bench
