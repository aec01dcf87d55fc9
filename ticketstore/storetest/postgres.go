package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"hearback/ticketstore"
)

// server is this test binary's PostgreSQL.
var server struct {
	sync.Once
	dir string
	err error
	// leash is the server's standard input: it ends when this process does, and then the server stops.
	leash io.Closer
	count atomic.Int64

	templateOnce sync.Once // the schema, made once and copied
}

const template = "hearback_template"

// migratedURL is PostgresURL with the schema in place already: copying it takes a fraction of the time migrating does.
func migratedURL(t testing.TB) string {
	t.Helper()
	needServer(t)
	server.templateOnce.Do(func() {
		admin(t, "CREATE DATABASE "+template)
		s, err := ticketstore.Open(context.Background(), ticketstore.Options{URL: address(template)})
		if err != nil {
			t.Fatalf("make the schema: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	return fresh(t, " TEMPLATE "+template)
}

// PostgresURL makes an empty database for one test and returns its address. It is dropped when the test ends.
func PostgresURL(t testing.TB) string {
	t.Helper()
	needServer(t)
	return fresh(t, "")
}

func needServer(t testing.TB) {
	t.Helper()
	server.Do(func() { server.err = startPostgres() })
	if server.err != nil {
		t.Fatalf("start a private PostgreSQL (Debian: apt-get install postgresql): %v", server.err)
	}
}

func fresh(t testing.TB, like string) string {
	t.Helper()
	name := fmt.Sprintf("test%d", server.count.Add(1))
	admin(t, "CREATE DATABASE "+name+like)
	t.Cleanup(func() { admin(t, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	return address(name)
}

func address(database string) string {
	return "postgres://postgres@/" + database + "?host=" + server.dir + "&port=5432"
}

func admin(t testing.TB, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", address("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Errorf("%s: %v", statement, err)
	}
}

// keeper runs the server, waits until its standard input ends and stops the server it started. Durability settings are the
// server's own defaults: fsync is on.
const keeper = `"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c unix_socket_permissions=0700 -c max_connections=200 \
  -c shared_buffers=128MB -c jit=off -c autovacuum_naptime=10s -c logging_collector=off &
pid=$!
trap 'kill -INT $pid' TERM INT
read -r forever
kill -INT $pid
wait $pid
rm -rf "$2"`

func startPostgres() error {
	bin, err := binaries()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("/tmp", "hb-pg-")
	if err != nil {
		return err
	}
	attr, err := serverUser(dir)
	if err != nil {
		return err
	}
	init := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "postgres", "-A", "trust",
		"-E", "UTF8", "--locale=C", "--no-sync")
	init.SysProcAttr, init.Dir = attr, dir
	if out, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("/bin/sh", "-c", keeper, "keeper", bin, dir)
	cmd.SysProcAttr, cmd.Dir, cmd.Stdout, cmd.Stderr = attr, dir, log, log
	if server.leash, err = cmd.StdinPipe(); err != nil {
		return err
	}
	server.dir = dir
	if err := cmd.Start(); err != nil {
		return err
	}
	return awaitPostgres()
}

// serverUser hands dir to the user postgres when we are root, because the server refuses to run as root. Its own process
// group keeps a Ctrl-C at the terminal away from it: it stops when its input ends.
func serverUser(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("user postgres has ids %s:%s", u.Uid, u.Gid)
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, os.Chown(dir, uid, gid)
}

// binaries finds the folder of the server's programs: in PATH or where Debian keeps them.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err == nil && len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		return "", err
	}
	path, err = filepath.EvalSymlinks(path)
	return filepath.Dir(path), err
}

// awaitPostgres asks until the server answers; it tells by no other means when it is ready.
func awaitPostgres() error {
	db, err := sql.Open("pgx", address("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(server.dir, "log"))
			return fmt.Errorf("server does not answer: %w; its log: %s", err, log)
		case <-tick.C:
		}
	}
}
