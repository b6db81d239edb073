internal import FoundationEssentials

/// A setting of the test stack. The runner gives it; without the stack there is nothing to test.
package func environment(_ name: String) throws -> String {
    guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
        throw MissingEnvironment(name: name)
    }
    return value
}

package struct MissingEnvironment: Error, CustomStringConvertible {
    let name: String
    package var description: String { "\(name) is not set: run the tests by `make test`" }
}
