# Two commands: make run, make test. Everything else is for people who work on Hearback.

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo dev)
BIN     := bin/hearback
GO      ?= go
export CGO_ENABLED = 0

UI      := web/dist/index.html
UI_SRC  := $(shell find web/console web/widget web/demo -type f 2>/dev/null) $(wildcard web/*.ts web/*.mjs web/*.json)
GO_SRC  := $(shell find . -name '*.go' -not -path './web/node_modules/*') $(shell find . \( -name '*.sql' -o -name '*.lua' \) -not -path './web/node_modules/*')

.PHONY: run build test unit deps lint fuzz bench load screenshots vulns dist clean

run: $(BIN) ## build, start, print the address and the first log-in
	./$(BIN) serve --demo

build: $(BIN)

$(BIN): $(UI) $(GO_SRC) go.mod go.sum
	$(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $@ ./cmd/hearback

$(UI): web/node_modules/.installed $(UI_SRC)
	cd web && npm run --silent build

web/node_modules/.installed: web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
	touch $@

# What the tests run for real. PostgreSQL's programs, Redis and a browser; installed only where they are missing.
deps:
	@need=""; \
	command -v redis-server >/dev/null || need="$$need redis-server"; \
	command -v chromium >/dev/null || need="$$need chromium"; \
	fc-list 2>/dev/null | grep -q 'Noto Sans CJK' || need="$$need fonts-noto-cjk"; \
	ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || need="$$need postgresql"; \
	command -v dovecot >/dev/null || need="$$need dovecot-imapd"; \
	command -v setpriv >/dev/null || need="$$need util-linux"; \
	if [ -n "$$need" ]; then \
		sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		echo "installing:$$need"; \
		$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$need >/dev/null; \
	fi

test: deps lint $(BIN) ## install what the tests need, run everything
	cd web && npm test --silent
	$(GO) test -timeout 18m -parallel 4 ./...

lint: $(UI)
	@bad=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$bad" ] || { echo "not gofmt-ed: $$bad"; exit 1; }
	$(GO) vet ./...
	cd web && npm run --silent check

fuzz: ## every fuzz target for FUZZTIME each
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
		echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(or $(FUZZTIME),60s) $$p || exit 1; done; done

bench: ## micro benchmarks of docs/performance.md
	$(GO) test -run '^$$' -bench . -benchmem ./normalizer ./router ./intake ./ticketstore/storetest ./connectors/email

load: $(BIN) ## the load table of docs/performance.md, on private PostgreSQL and Redis and on SQLite
	$(GO) test -count=1 -timeout 20m -run '^$$' -bench Load -benchtime 1x ./cmd/hearback

screenshots: $(BIN) ## take docs/img anew
	HEARBACK_SCREENSHOTS=1 $(GO) test -count=1 -timeout 10m -run Browser ./cmd/hearback

vulns: ## needs the network
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

dist: $(UI) ## release binaries
	@for t in linux/amd64 linux/arm64 darwin/arm64 windows/amd64; do \
		GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/hearback-$${t%/*}-$${t#*/} ./cmd/hearback; done
	cd bin && sha256sum hearback-* > SHA256SUMS

clean:
	rm -rf bin web/dist/* web/node_modules
