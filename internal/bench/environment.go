package bench

import "io/fs"

// Recipe says what an environment holds. Two recipes with the same content get
// the same environment.
type Recipe struct {
	Name    string     // for progress and errors: "sanic@current"
	Package string     // the package whose release is the framework's version
	Python  PythonWish // which interpreter
	Lock    []byte     // requirements with hashes
	Direct  []byte     // requirements that can have no hash: a folder, a repository; mostly empty
	Files   fs.FS      // the application, copied beside the packages
	Wheels  bool       // nothing is built: the code of a source distribution would run at its installation
	Built   []string   // packages that are, all the same
}

// Environment is an installed recipe.
type Environment struct {
	App    string // folder of the application: the server's working directory
	Bin    string // folder of its executables
	Python string // path of its interpreter

	Version       string            // release of Recipe.Package
	PythonVersion string            // "3.13.0"
	Packages      map[string]string // everything installed, name to release
	Marks         []Mark            // MarkOtherPython when the wanted one could not be had
}
