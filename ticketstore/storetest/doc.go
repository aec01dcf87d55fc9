// Package storetest proves the ticket store on both engines with one suite, and lends real databases to the tests of others.
//
// [SQLite] and [Postgres] open a fresh store for one test; [PostgresURL] gives the address of a fresh database for tests that
// start the whole program. PostgreSQL is a private server in a temporary folder behind a unix socket, started with the first
// test that asks and stopped, by its process id, when the test binary ends, however it ends.
package storetest
