/** Which daemon, and as whom: the first that is said counts, as with the program `skep`. */

import { BlockList, isIP } from "node:net";

import { ConfigurationError } from "./errors.js";
import { type Active, Home, readKey } from "./home.js";

const USUAL = "http://127.0.0.1:3850";
const SECURE = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?$/;
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** How a client is told where to go. */
export interface Where {
  /** Such as `https://skep.example.com` [`SKEP_URL`]. */
  url?: string;
  /** The data directory [`SKEP_HOME`, else `~/.skep`]. */
  home?: string;
  /** A file of yours alone, with a key [`SKEP_TOKEN_FILE`]. */
  tokenFile?: string;
  /** This machine's own daemon over its socket, wherever you are logged in. */
  local?: boolean;
}

/** A daemon, and what shows it who we are. */
export interface Target {
  home: Home;
  /** Scheme, host and port, as a proof names them. */
  url: string;
  socket?: string;
  token?: string;
  login?: Active;
}

/** What these and the environment come to. */
export function resolve(where: Where): Target {
  const home = new Home(where.home);
  if (where.local) {
    if (where.url || where.tokenFile) {
      throw new ConfigurationError("local is the socket, and needs no URL and no token");
    }
    return socket(home);
  }
  const url = where.url || process.env["SKEP_URL"] || undefined;
  const tokenFile = where.tokenFile || process.env["SKEP_TOKEN_FILE"] || undefined;
  const active = home.active();
  if (tokenFile) {
    return { home, url: origin(url ?? active?.issuer ?? USUAL), token: readKey(tokenFile) };
  }
  if (url) return at(home, origin(url), active);
  if (active) return { home, url: origin(active.issuer), login: active };
  return socket(home);
}

function socket(home: Home): Target {
  return { home, url: "http://localhost", socket: home.socket() };
}

function at(home: Home, url: string, active: Active | undefined): Target {
  if (active?.issuer === url) return { home, url, login: active };
  const [only, other] = home.logins().filter((login) => login.issuer === url);
  if (other) {
    throw new ConfigurationError(
      `there are several logins at ${url}, and none of them is active: skep org switch`,
    );
  }
  if (only) return { home, url, login: { issuer: url, organization: only.organization } };
  if (url.startsWith("http://")) return { home, url, token: home.installToken() };
  throw new ConfigurationError(`nobody is logged in at ${url}: skep login ${url}, or a tokenFile`);
}

/**
 * The URL as its server writes it: plain HTTP on this machine, HTTPS anywhere. Anything else is refused:
 * what proves who you are would travel in clear.
 */
export function origin(url: string): string {
  const [, scheme, rest = ""] = /^(https?):\/\/(.*?)\/?$/.exec(url) ?? [];
  const [, name, digits] = SECURE.exec(rest) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (name && (port === undefined || (port > 0 && port < 65_536))) {
    const host = name.toLowerCase();
    if (scheme === "https") return port === undefined || port === 443 ? `https://${host}` : `https://${host}:${port}`;
    if (port && isLoopback(host)) return `http://${host}:${port}`;
  }
  throw new ConfigurationError(
    `${JSON.stringify(url)} is not a daemon's URL: expected something like https://skep.example.com, ` +
      "or http://127.0.0.1:3850 on this machine",
  );
}

function isLoopback(host: string): boolean {
  if (host === "localhost") return true;
  const address = host.replace(/^\[|\]$/g, "");
  const kind = isIP(address);
  return kind !== 0 && LOOPBACK.check(address, kind === 4 ? "ipv4" : "ipv6");
}
