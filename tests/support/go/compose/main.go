// Reads a compose file as `docker compose config` does and prints the project as JSON, or says what is wrong with it.
//
// compose [-profile=NAME]... FILE...
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	var files, profiles []string
	for _, argument := range os.Args[1:] {
		if name, found := strings.CutPrefix(argument, "-profile="); found {
			profiles = append(profiles, name)
		} else {
			files = append(files, argument)
		}
	}
	project, err := read(files, profiles)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Stdout.Write(project)
}

func read(files, profiles []string) ([]byte, error) {
	options, err := cli.NewProjectOptions(files, cli.WithOsEnv, cli.WithDotEnv, cli.WithProfiles(profiles))
	if err != nil {
		return nil, err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return nil, err
	}
	return project.MarshalJSON()
}
