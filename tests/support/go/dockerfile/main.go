// Reads a Dockerfile as `docker build --check` does: BuildKit's own parser and linter, and its conversion of every stage
// into what it would run. Prints, as JSON, the warnings and the configuration of the last stage's image.
//
// Base images are not fetched: each is taken to be empty.
//
// dockerfile FILE [NAME=VALUE]...
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

type warning struct {
	Rule    string `json:"rule"`
	Message string `json:"message"`
	Line    int    `json:"line"`
}

type answer struct {
	Warnings []warning `json:"warnings"`
	Bases    []string  `json:"bases"`
	Image    any       `json:"image"`
}

type emptyImages struct{ asked []string }

func (images *emptyImages) ResolveImageConfig(
	_ context.Context, ref string, _ sourceresolver.Opt,
) (string, digest.Digest, []byte, error) {
	images.asked = append(images.asked, ref)
	config := []byte(`{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers"}}`)
	return ref, digest.FromBytes(config), config, nil
}

func main() {
	found, err := read(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(found)
}

func read(file string, given []string) (*answer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	arguments := map[string]string{}
	for _, each := range given {
		name, value, _ := strings.Cut(each, "=")
		arguments[name] = value
	}
	found := &answer{Warnings: []warning{}}
	images := &emptyImages{}
	caps := pb.Caps.CapSet(pb.Caps.All())
	result, err := dockerfile2llb.Dockerfile2LLB(context.Background(), text, dockerfile2llb.ConvertOpt{
		Config:         dockerui.Config{BuildArgs: arguments},
		TargetPlatform: &ocispecs.Platform{OS: "linux", Architecture: "amd64"},
		MetaResolver:   images,
		LLBCaps:        &caps,
		SourceMap:      llb.NewSourceMap(nil, file, "Dockerfile", text),
		AllStages:      true,
		Warn: func(rule, _, _, message string, at []parser.Range) {
			line := 0
			if len(at) > 0 {
				line = at[0].Start.Line
			}
			found.Warnings = append(found.Warnings, warning{rule, message, line})
		},
	})
	if err != nil {
		return nil, err
	}
	if _, err := result.State.Marshal(context.Background(), llb.LinuxAmd64); err != nil {
		return nil, err
	}
	found.Bases, found.Image = images.asked, result.Image
	return found, nil
}
