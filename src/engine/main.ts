import "vscode-jsonrpc/node"; // installs the timers that a connection needs
import { logNotification } from "../shared/protocol.ts";
import { connect, type Port } from "../shared/rpc.ts";
import { serve } from "./server.ts";

/** The engine process: JSON-RPC over Node's IPC channel. Its stdout and stderr are left to native code and carry no protocol. */
function main(): void {
  if (!process.send) {
    process.stderr.write("This is Bulwark's engine; the extension starts it. For a terminal there is `bulwark`.\n");
    process.exit(3);
  }
  const connection = connect(ipcPort());
  const log = (level: "info" | "warn" | "error", message: string): void => {
    if (process.connected) void connection.sendNotification(logNotification, { level, message });
  };
  process.on("disconnect", () => process.exit(0)); // the extension is gone
  const crash = (thrown: unknown): void => {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    process.stderr.write(`${text}\n`);
    log("error", text);
    setTimeout(() => process.exit(1), 100); // lets the message out
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
  serve(connection, log);
  connection.listen();
}

function ipcPort(): Port {
  return {
    send: (message) => {
      if (process.connected) process.send?.(message as object, undefined, undefined, () => undefined);
    },
    onMessage: (listener) => {
      process.on("message", listener);
      return { dispose: () => process.off("message", listener) };
    },
    onClose: (listener) => {
      process.on("disconnect", listener);
      return { dispose: () => process.off("disconnect", listener) };
    },
  };
}

main();
