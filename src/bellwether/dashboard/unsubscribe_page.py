"""No more mails: the page that links in mails lead to, for who has no account here too."""

from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from bellwether.delivery.models import Unsubscription
from bellwether.delivery.planning import TOPICS
from bellwether.delivery.unsubscribing import read_token, unsubscribe

EVERYTHING = "all"


@csrf_exempt
@require_http_methods(["GET", "POST"])
def stop_mail(request: HttpRequest, token: str) -> HttpResponse:
    """End mail to an address: GET asks first (programs that look at links follow it), POST does it at once, without
    signing in or being led elsewhere (RFC 8058). A link that is none of ours is not found."""
    try:
        digest, topic = read_token(token)
    except BadSignature:
        raise Http404 from None
    if request.method == "POST":
        unsubscribe(digest, "" if request.POST.get("what") == EVERYTHING else topic, now=timezone.now())
    held = set(
        Unsubscription.objects.filter(address_digest=digest, topic__in=["", topic]).values_list("topic", flat=True)
    )
    values = {"stopped": bool(held), "everything": "" in held, "about": TOPICS.get(topic, "").lower()}
    return render(request, "dashboard/unsubscribe.html", values)
