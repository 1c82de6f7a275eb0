// Reads a Dockerfile as `docker build --check` does: BuildKit's own parser and linter, and its conversion of every stage
// into what it would run. Prints, as JSON, the warnings, the stages with their instructions, the configuration of the
// last stage's image, and the files of the context that its .dockerignore lets through.
//
// Base images are not fetched: each is taken to be empty.
//
// dockerfile FILE CONTEXT
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

type warning struct {
	Rule    string `json:"rule"`
	Message string `json:"message"`
	Line    int    `json:"line"`
}

type stage struct {
	Name         string   `json:"name"`
	Base         string   `json:"base"`
	Instructions []string `json:"instructions"`
}

type answer struct {
	Warnings []warning `json:"warnings"`
	Bases    []string  `json:"bases"`
	Stages   []stage   `json:"stages"`
	Image    any       `json:"image"`
	Context  []string  `json:"context"`
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
	found, err := read(os.Args[1])
	if err == nil {
		found.Context, err = sent(os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(found)
}

func read(file string) (*answer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	found := &answer{Warnings: []warning{}}
	if found.Stages, err = stages(text); err != nil {
		return nil, err
	}
	images := &emptyImages{}
	caps := pb.Caps.CapSet(pb.Caps.All())
	result, err := dockerfile2llb.Dockerfile2LLB(context.Background(), text, dockerfile2llb.ConvertOpt{
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

func stages(text []byte) ([]stage, error) {
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	read, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, err
	}
	var found []stage
	for _, each := range read {
		next := stage{Name: each.Name, Base: each.BaseName}
		for _, command := range each.Commands {
			next.Instructions = append(next.Instructions, fmt.Sprint(command))
		}
		found = append(found, next)
	}
	return found, nil
}

// What `docker build` would send of a folder.
func sent(folder string) ([]string, error) {
	text, err := os.Open(filepath.Join(folder, ".dockerignore"))
	if err != nil {
		return nil, err
	}
	defer text.Close()
	patterns, err := ignorefile.ReadAll(text)
	if err != nil {
		return nil, err
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, err
	}
	var found []string
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && (name == "node_modules" || name == ".git" || name == ".venv") {
			return filepath.SkipDir
		}
		if entry.IsDir() {
			return nil
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		ignored, err := matcher.MatchesOrParentMatches(relative)
		if err == nil && !ignored {
			found = append(found, relative)
		}
		return err
	})
	return found, err
}
