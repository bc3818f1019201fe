// Package ladder holds the tests of the house itself and no code: that lower rooms do not import higher ones, that no
// folder has a name that says nothing, that one room writes a table, that the pages the comments point to have the
// sections they name, and that the index of decisions is whole.
//
// What the linter can see in one file by itself (init functions, reading the clock or the environment, printing) is in
// .golangci.yml and not here.
package ladder
