// Which command starts the language server. Knows nothing of the editor, so that it can be tried without one.

import * as fs from "node:fs";
import * as path from "node:path";

/** The `codeai` command: what the setting says, else that of the workspace's environment, else that of the PATH. */
export function commandOf(
  setting: string,
  folders: readonly string[],
  exists: (file: string) => boolean = fs.existsSync,
  windows: boolean = process.platform === "win32",
): string {
  if (setting !== "") {
    const plain = !setting.includes("/") && !setting.includes("\\");
    if (plain || path.isAbsolute(setting) || folders.length === 0) {
      return setting;
    }
    return path.join(folders[0], setting);
  }
  const inside = windows ? [".venv", "Scripts", "codeai.exe"] : [".venv", "bin", "codeai"];
  const own = folders.map((folder) => path.join(folder, ...inside)).find(exists);
  return own ?? "codeai";
}
