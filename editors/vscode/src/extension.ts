// The client of `codeai lsp`: starts it, tells it of files that change, begins anew when it is asked to.

import * as vscode from "vscode";
import { LanguageClient, LanguageClientOptions, ServerOptions, TransportKind } from "vscode-languageclient/node";

import { commandOf } from "./command";

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  context.subscriptions.push(
    vscode.commands.registerCommand("codeai.restart", restart),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("codeai.path")) {
        await restart();
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await stop();
}

async function restart(): Promise<void> {
  await stop();
  await start();
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  if (running?.needsStop()) {
    await running.stop();
  }
}

async function start(): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    return; // the command may lie in the workspace
  }
  const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  const command = commandOf(vscode.workspace.getConfiguration("codeai").get<string>("path", "").trim(), folders);
  const server: ServerOptions = { command, args: ["lsp"], transport: TransportKind.stdio };
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: "file", language: "codeai" },
      { scheme: "untitled", language: "codeai" },
    ],
  };
  const starting = new LanguageClient("codeai", "CodeAI", server, options);
  client = starting;
  try {
    await starting.start();
  } catch (error) {
    client = undefined;
    await explain(command, error);
  }
}

async function explain(command: string, error: unknown): Promise<void> {
  const settings = "Open settings";
  const said = error instanceof Error ? error.message : String(error);
  const chosen = await vscode.window.showErrorMessage(
    `CodeAI: '${command} lsp' does not start (${said}). Install it with 'pip install codeai', or say in 'codeai.path' where it is.`,
    settings,
  );
  if (chosen === settings) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "codeai.path");
  }
}
