# What a newcomer needs is Go and make.

.PHONY: build demo

# build makes ./bin/rollcall.
build:
	go build -o bin/rollcall ./cmd/rollcall

# demo shows a service, people in it, and their credential report:
#   make demo                 and goes on serving until Ctrl-C
#   make demo ARGS=--once     and ends
demo: build
	@./bin/rollcall demo $(ARGS)
