"""Refuses what comes from pages of others; tells browsers the same."""

import re

from flask import request

from .errors import Refused
from .names import is_server_name

__all__ = ['HEADERS', 'add_rules']

#: Nothing is fetched from elsewhere, and no other page may show this one.
POLICY = '; '.join([
    "default-src 'none'", "script-src 'self'", "style-src 'self'",
    "img-src 'self' blob:", "media-src 'self' blob:", "connect-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"])

#: Headers of all answers.
HEADERS = {
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
}


def add_rules(app, names):
    """Add them to an application.

    Parameters
    ----------
    app : flask.Flask
    names : set of str
        Of :func:`.names.server_names`.
    """
    @app.before_request
    def check():
        host = request.headers.get('Host', '')
        if not host:
            raise Refused(400, 'the request has no header Host')
        if not is_server_name(host, names):
            raise Refused(403, 'this server is not called %s (colornet serve '
                               '--allowed-host)' % host[:100])
        origin = request.headers.get('Origin')
        if origin is not None and not re.fullmatch(
                'https?://' + re.escape(host), origin, re.IGNORECASE):
            raise Refused(403, 'pages of other servers are not served')

    @app.after_request
    def add_headers(response):
        response.headers.update(HEADERS)
        # Of the page, browsers ask each time whether it has changed.
        response.headers['Cache-Control'] = (
            'no-store' if request.path.startswith('/api/') else 'no-cache')
        return response
