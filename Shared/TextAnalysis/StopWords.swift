import Domain

/// Words too common to search by, folded as texts are. They tell languages apart, too.
enum StopWords {
    static func of(_ language: Language) -> Set<String> { all[language] ?? [] }

    /// In how many languages a word is one: `die` says less than `nicht`.
    static let languageCounts: [String: Int] = all.values.reduce(into: [:]) { counts, words in
        for word in words { counts[word, default: 0] += 1 }
    }

    static let all: [Language: Set<String>] = [
        .italian: words(italian), .english: words(english), .spanish: words(spanish),
        .french: words(french), .german: words(german),
    ]

    private static func words(_ text: String) -> Set<String> {
        Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }

    private static let italian = """
        il lo la gli le un uno una di del dello della dei degli delle al allo alla ai agli alle da
        dal dallo dalla dai dagli dalle in nel nello nella nei negli nelle con col coi su sul sullo
        sulla sui sugli sulle per tra fra ed ma se che chi cui non come dove quando quanto quanta
        quanti quante quale quali cosa perche anche piu meno questo questa questi queste quello
        quella quelli quelle quel quei mio mia miei mie tuo tua suo sua suoi sue nostro nostra
        nostri nostre vostro loro io tu lui lei noi voi mi ti si ci vi ne sono sei siamo siete era
        erano essere stato stata stati state ha ho hai hanno abbiamo avere aveva fa fare puo posso
        possono puoi deve devo devono viene vengono ogni tutti tutte tutto tutta dopo prima ancora
        gia solo cosi poi oppure senza ecco dell all dall nell sull quell cos com
        """

    private static let english = """
        the an and or but if of to in on at by for with from into about as is are was were be been
        being am it its this that these those there here he she they we you his her their our your
        my me him them us who whom whose which what when where why how not no nor do does did done
        has have had having can could will would shall should may might must than then so such too
        very also any some all each every both more most other only own same up out over under
        after before between during while because through again once just don doesn isn aren won
        much many ve ll re
        """

    private static let spanish = """
        el la los las un una unos unas de del al en con por para sin sobre entre hasta desde que
        quien quienes cual cuales cuando donde como cuanto cuanta cuantos porque pero si no ni ya
        mas menos muy tambien este esta estos estas ese esa esos esas aquel aquella mi mis tu tus
        su sus nuestro nuestra nuestros yo el ella ellos ellas nosotros usted ustedes me te se nos
        lo le les es son era eran ser sido fue fueron soy eres somos esta estan estar estoy ha han
        he hay haber tiene tienen tener puede pueden puedo debe deben hacer hace todo toda todos
        todas cada otro otra otros otras despues antes
        """

    private static let french = """
        le la les un une des du de au aux en dans sur sous avec sans par pour entre vers chez et ou
        mais donc si que qui quoi dont quand comment combien pourquoi quel quelle quels quelles ne
        pas plus moins tres aussi ce cet cette ces mon ma mes ton ta tes son sa ses notre nos votre
        vos leur leurs je tu il elle on nous vous ils elles me te se lui est sont etait etaient
        etre ete suis es sommes etes sera ai as avons avez ont avoir avait peut peuvent peux doit
        doivent fait faire tout toute tous toutes chaque autre autres apres avant qu cela ca
        """

    private static let german = """
        der die das den dem des ein eine einen einem einer eines und oder aber wenn dass ob in im
        an am auf aus bei beim mit nach von vom vor zu zum zur uber unter durch fur gegen ohne um
        zwischen nicht kein keine keinen nur auch noch schon sehr mehr weniger wie was wer wen wem
        wo wann warum welche welcher welches ich du er sie es wir ihr mich dich sich uns euch mein
        meine dein seine ihre unser unsere ist sind war waren sein bin bist seid wird werden wurde
        worden hat haben habe hatte kann konnen muss mussen soll sollen darf diese dieser dieses
        diesen jede jeder jedes alle alles andere als so dann da hier
        """
}
