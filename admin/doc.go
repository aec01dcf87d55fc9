// Package admin is where the desk is set up: channels, people, teams, rules, API tokens, the ledger of what came in, health.
//
// cmd/hearback registers it on the same API as the console, whose guard holds the permission each route declares. After a
// change every node is told over the bus, so that fleet, router and pages load again what they keep; who changed what stands
// in the audit.
//
// Invariants: a secret goes in and never comes out, its last four characters excepted; what one makes by itself is shown
// once, in the answer to its creation; settings are judged by what the kind declares before they are stored. A wrong value
// is a 422 that names the field and what would be right; a database that takes no writes is a 503 and nothing was kept.
package admin
