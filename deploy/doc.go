// Package deploy holds files that the containers use, and the tests of
// compose.yaml and Dockerfile. There is no code in it.
package deploy
